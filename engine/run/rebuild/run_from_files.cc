#include "run/rebuild/run_from_files.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/status.h"
#include "event/journal.h"
#include "event/span.h"
#include "run/attempt_end.h"
#include "run/gpu/gpu_series.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"
#include "store/attempt.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

std::int64_t TimeIn(const json& object, const char* name) {
  try {
    const std::string text = TextIn(object, name);
    return text.empty() ? 0 : UnixMilliseconds(ParseTime(text));
  } catch (const Error&) {
    return 0;
  }
}

RunContext ContextOf(const json& event, const std::string& run_id) {
  RunContext context;
  context.run_id = run_id;
  context.stage = TextIn(event, "stage");
  context.instance = TextIn(event, "instance");
  context.attempt = IntIn(event, "attempt", 1);
  return context;
}

// The records of one kind, one for each attempt, found by it.
template <typename Record>
class ByAttempt {
 public:
  explicit ByAttempt(std::vector<Record>* records) : records_(*records) {}

  Record& Get(const RunContext& attempt) {
    const auto [entry, added] =
        places_.try_emplace(attempt.key() + "#" + std::to_string(attempt.attempt), records_.size());
    if (added) SetAttempt(attempt, &records_.emplace_back());
    return records_[entry->second];
  }

 private:
  std::vector<Record>& records_;
  std::map<std::string, std::size_t> places_;
};

// Follows the events of a run and keeps its records as the engine kept them.
class Replay {
 public:
  explicit Replay(RunFromFiles* files)
      : files_(*files), stages_(&files->stages), jobs_(&files->jobs), containers_(&files->containers) {}

  void Take(const json& event) {
    const std::string type = event["type"];
    const json& data = event["data"];
    const std::int64_t time = TimeIn(event, "time");
    if (event.contains("stage")) return TakeOfAttempt(type, ContextOf(event, files_.run.run_id), data, time);
    RunRecord& run = files_.run;
    if (type == "run_started" || type == "run_resumed") {
      if (run.workflow.empty()) run.workflow = TextIn(data, "workflow");
      if (run.started_at == 0) run.started_at = time;
      if (type == "run_started" && run.ended_at != 0)
        run.retried_at = data.contains("retried_at") ? TimeIn(data, "retried_at") : time;
      run.status = ToString(Status::kRunning);
      run.failure_kind.clear();
      run.error_message.clear();
      run.ended_at = 0;
    } else if (type == "run_finished") {
      run.status = TextIn(data, "status");
      const json failure = ObjectIn(data, "failure");
      run.failure_kind = TextIn(failure, "kind");
      run.error_message = TextIn(failure, "message");
      if (run.status == ToString(Status::kCancelled) && run.error_message == kRunCancelled) run.error_message.clear();
      run.ended_at = data.contains("ended_at") ? TimeIn(data, "ended_at") : time;
      if (const std::string log = TextIn(data, "log_path"); !log.empty()) run.log_path = log;
    }
  }

 private:
  void TakeOfAttempt(const std::string& type, const RunContext& attempt, const json& data, std::int64_t time) {
    if (type == "stage_started") {
      Begin(attempt, data, time);
    } else if (type == "stage_finished") {
      End(attempt, Status::kSucceeded, data, time).outputs = ObjectIn(data, "outputs").dump();
    } else if (type == "stage_failed") {
      Fail(attempt, data, time);
    } else if (type == "stage_cancelled") {
      End(attempt, Status::kCancelled, data, time);
    } else if (type == "stage_skipped") {
      StageRecord& stage = End(attempt, Status::kSkipped, data, time);
      if (stage.error_message.empty()) stage.error_message = TextIn(data, "reason");
    } else if (type == "job_submitted" || type == "job_attached") {
      Submit(attempt, data, time);
      for (const json& member : ListIn(data, "members")) {
        RunContext other = attempt;
        other.instance = TextIn(member, "instance");
        other.attempt = IntIn(member, "attempt", 1);
        Submit(other, data, time);
        members_[jobs_.Get(attempt).folder].push_back(other);
      }
    } else if (type == "job_ended") {
      for (const RunContext& other : members_[jobs_.Get(attempt).folder]) EndJob(other, data, time);
      EndJob(attempt, data, time);
    } else if (type == "log_available") {
      stages_.Get(attempt).log_path = files_.run.log_path = TextIn(data, "path");
    } else if (type == "artifact_made") {
      Keep(attempt, data);
    }
  }

  StageRecord& Begin(const RunContext& attempt, const json& data, std::int64_t time) {
    StageRecord& stage = stages_.Get(attempt);
    stage.uses = TextIn(data, "uses");
    stage.target = TextIn(data, "target");
    stage.status = ToString(Status::kRunning);
    stage.failure_kind.clear();
    stage.error_message.clear();
    stage.ended_at = 0;
    AddFacts(data, time, &stage);
    return stage;
  }

  StageRecord& End(const RunContext& attempt, Status status, const json& data, std::int64_t time) {
    StageRecord& stage = stages_.Get(attempt);
    AddFacts(data, time, &stage);
    stage.status = ToString(status);
    if (stage.ended_at == 0) stage.ended_at = time;
    return stage;
  }

  void Fail(const RunContext& attempt, const json& data, std::int64_t time) {
    const json failure = ObjectIn(data, "failure");
    // An engine that gave up ends what it started for those who listen; the attempt itself goes on with `resume`.
    if (!data.contains("record") && TextIn(failure, "message") == kGivenUp) return;
    StageRecord& stage = End(attempt, Status::kFailed, data, time);
    stage.failure_kind = TextIn(failure, "kind");
    stage.error_message = TextIn(failure, "message");
  }

  // Events of older versions have no record.
  static void AddFacts(const json& data, std::int64_t time, StageRecord* stage) {
    const json record = ObjectIn(data, "record");
    const auto set = [&](const char* name, std::string* value) {
      if (record.contains(name)) *value = TextIn(record, name);
    };
    set("uses", &stage->uses);
    set("target", &stage->target);
    set("prompt_id", &stage->prompt_id);
    set("prompt_name", &stage->prompt_name);
    set("operation_id", &stage->operation_id);
    set("log_path", &stage->log_path);
    if (const json progress = ObjectIn(record, "progress"); !progress.empty()) stage->progress = progress.dump();
    if (const json failure = ObjectIn(record, "failure"); !failure.empty()) {
      stage->failure_kind = TextIn(failure, "kind");
      stage->error_message = TextIn(failure, "message");
    }
    stage->ended_at = TimeIn(record, "ended_at");
    if (const std::int64_t started_at = TimeIn(record, "started_at"); started_at != 0) {
      stage->started_at = started_at;
    } else if (stage->started_at == 0) {
      stage->started_at = time;
    }
  }

  void Submit(const RunContext& attempt, const json& data, std::int64_t time) {
    JobRecord& job = jobs_.Get(attempt);
    job.target = TextIn(data, "target");
    job.folder = TextIn(data, "folder");
    job.pid = IntegerIn(data, "pid", 0);
    job.pid_start_time = IntegerIn(data, "pid_start_time", 0);
    job.boot_id = TextIn(data, "boot_id");
    job.status = "running";
    if (job.submitted_at == 0) job.submitted_at = time;
    const json facts = ObjectIn(data, "container");
    if (facts.empty()) return;
    job.container = TextIn(facts, "name");
    ContainerRecord& container = containers_.Get(attempt);
    container.target = job.target;
    container.engine = TextIn(facts, "engine");
    container.sudo = BoolIn(facts, "sudo");
    container.name = job.container;
    container.image = TextIn(facts, "image");
    container.status = "running";
  }

  void EndJob(const RunContext& attempt, const json& data, std::int64_t time) {
    JobRecord& job = jobs_.Get(attempt);
    job.status = "ended";
    job.exit_status = IntIn(data, "exit_status", -1);
    job.ended_at = time;
    if (job.container.empty()) return;
    ContainerRecord& container = containers_.Get(attempt);
    container.status = "removed";  // as the engine does after a job; one that is left, `gc` finds by its labels
    container.exit_status = job.exit_status;
  }

  void Keep(const RunContext& attempt, const json& data) {
    ArtifactRecord artifact;
    SetAttempt(attempt, &artifact);
    artifact.name = TextIn(data, "name");
    artifact.path = TextIn(data, "path");
    artifact.size = IntegerIn(data, "size", 0);
    artifact.sha256 = TextIn(data, "sha256");
    artifact.files = IntegerIn(data, "files", 0);
    const auto [entry, added] = artifacts_.try_emplace(
        attempt.key() + "#" + std::to_string(attempt.attempt) + "#" + artifact.path, files_.artifacts.size());
    if (added) files_.artifacts.emplace_back();
    files_.artifacts[entry->second] = std::move(artifact);
  }

  RunFromFiles& files_;
  ByAttempt<StageRecord> stages_;
  ByAttempt<JobRecord> jobs_;
  ByAttempt<ContainerRecord> containers_;
  std::map<std::string, std::size_t> artifacts_;
  std::map<std::string, std::vector<RunContext>> members_;  // further attempts of a job, by its folder
};

// What the run was started with; empty where run.json is gone or damaged.
std::optional<RunInputs> InputsOf(const fs::path& file) {
  try {
    return LoadRunInputs(file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void TakeInputs(const RunInputs& inputs, RunFromFiles* files) {
  files->run.workflow = inputs.workflow;
  files->run.workflow_path = inputs.workflow_path;
  files->run.prompt_name = inputs.prompt_name;
  files->run.prompt_id = inputs.prompt_id;
  files->run.started_at = inputs.started_at;
  if (inputs.prompt_id.empty()) return;
  files->prompts.push_back({inputs.prompt_id, "", inputs.prompt, inputs.negative_prompt, inputs.started_at});
}

}  // namespace

RunFromFiles ReadRunFolder(const fs::path& folder) {
  RunFromFiles files;
  files.run.run_id = folder.filename();
  files.run.output_dir = folder.parent_path().parent_path();
  files.run.status = ToString(Status::kRunning);
  const RunPaths paths(files.run.output_dir, files.run.run_id);
  const std::optional<RunInputs> inputs = InputsOf(paths.inputs());
  if (inputs) TakeInputs(*inputs, &files);
  Replay replay(&files);
  bool any = false;
  Journal::Read(paths.journal(), 0, [&](const json& event) {
    any = true;
    replay.Take(event);
  });
  if (!inputs && !any) {
    throw Error(ErrorCode::kNotFound, "'" + folder.string() + "' has neither a usable run.json nor events.jsonl");
  }
  for (const StageRecord& stage : files.stages) {
    const RunContext attempt = AttemptOf(stage);
    GpuUsageSum sum;
    for (const GpuSeriesSample& sample : GpuSeries::Load(paths.GpuSeries(attempt))) sum.Add(sample);
    for (GpuUsageRecord& usage : sum.Records(attempt)) files.gpu_usages.push_back(std::move(usage));
  }
  return files;
}

}  // namespace cosmos
