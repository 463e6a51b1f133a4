#include "run/run_cancel.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/status.h"
#include "event/journal.h"
#include "job/container.h"
#include "run/recovery.h"
#include "run/run_inputs.h"
#include "run/run_lock.h"
#include "run/run_paths.h"
#include "run/targets/target_paths.h"
#include "run/targets/target_set.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

constexpr auto kGrace = std::chrono::seconds(10);
constexpr auto kLongestToReach = std::chrono::seconds(30);

// By the job's folder and not by its record: the engine may have died between starting a job and recording it.
void EndJob(Target* target, const std::string& folder) {
  const auto handle = target->Find(folder);
  if (!handle || target->Cancel(*handle, kGrace)) return;
  throw Error(
      ErrorCode::kUnavailable,
      "not all processes of the job in " + folder + " could be ended (session " + std::to_string(handle->pid) + ")",
      "look at them with `ps -s " + std::to_string(handle->pid) + "` and try again");
}

// The targets of the stages that have not ended, reached.
TargetSet OpenTargets(const RunPaths& paths, const std::vector<StageRecord>& stages, const CancelToken* cancel) {
  const RunInputs inputs = LoadRunInputs(paths.inputs());
  std::set<std::string> names;
  for (const StageRecord& stage : stages) names.insert(stage.target);
  TargetSet targets(inputs.targets, names, cancel, nullptr);
  targets.Reach(kLongestToReach);
  return targets;
}

void EndJobs(const RunPaths& paths, RunStore* store, const std::string& run_id) {
  std::vector<StageRecord> stages = store->StagesOf(run_id);
  std::erase_if(stages, [](const StageRecord& stage) { return IsEnd(StatusOf(stage.status)); });
  const CancelToken cancel;
  const TargetSet targets = OpenTargets(paths, stages, &cancel);
  const std::vector<ContainerRecord> containers = store->ContainersOf(run_id);
  for (const StageRecord& stage : stages) {
    Target* const target = targets.by_name().at(stage.target);
    const RunContext context = AttemptOf(stage);
    for (ContainerRecord container : containers) {
      if (container.name != ContainerNameOf(context)) continue;
      if (!StopContainer(target, container, kGrace)) {
        throw Error(ErrorCode::kUnavailable, "the container " + container.name + " could not be ended",
                    "look at it with `" + container.engine + " ps` on the target and try again");
      }
      InspectContainer(target, &container);
      store->PutContainer(&container);
    }
    EndJob(target,
           target->IsLocal() ? paths.JobFolder(context).string() : TargetPaths(target->Workdir()).JobFolder(context));
  }
}

// Into the journal, which a lost store is restored from; it comes first, as with a run that has an engine.
void PublishEnd(const RunPaths& paths, const RunRecord& run, const std::vector<StageRecord>& stages,
                const std::vector<JobRecord>& jobs, Clock* clock) {
  Journal journal(paths.journal());
  EventBus bus(clock, journal.last_seq());
  bus.Subscribe(journal.Subscribe());
  for (const JobRecord& job : jobs) bus.Publish(AttemptOf(job), JobEnded{-1, FailureKind::kCancelled});
  History(stages, paths.journal()).PublishMissing(&bus);
  RunContext context;
  context.run_id = run.run_id;
  bus.Publish(
      context,
      RunFinished{Status::kCancelled, {FailureKind::kCancelled, run.error_message}, run.ended_at, run.log_path});
  bus.Close();
}

}  // namespace

bool IsActive(const RunRecord& run) { return RunLock::Holder(RunPaths(run.output_dir, run.run_id).lock()).has_value(); }

CancelOutcome CancelRun(const std::string& run_id, RunStore* store, Clock* clock) {
  RunRecord run = store->GetRun(run_id);
  const RunPaths paths(run.output_dir, run_id);
  if (const auto engine = RunLock::Holder(paths.lock())) {
    if (::kill(*engine, SIGTERM) == 0) return CancelOutcome::kAsked;
    throw Error(ErrorCode::kUnavailable,
                "the run's engine (process " + std::to_string(*engine) + ") cannot be signalled from this account",
                "cancel as the user who started it");
  }
  if (IsEnd(StatusOf(run.status))) return CancelOutcome::kEnded;
  const RunLock lock(paths.lock());  // nobody resumes it meanwhile
  const std::int64_t now = UnixMilliseconds(clock->Wall());
  EndJobs(paths, store, run_id);
  std::vector<StageRecord> stages = store->StagesOf(run_id);
  for (StageRecord& stage : stages) {
    if (IsEnd(StatusOf(stage.status))) continue;
    stage.status = ToString(Status::kCancelled);
    stage.ended_at = std::max(now, stage.started_at);
  }
  std::vector<JobRecord> jobs = store->JobsOf(run_id);
  std::erase_if(jobs, [](const JobRecord& job) { return job.status == "ended"; });
  run.status = ToString(Status::kCancelled);
  run.failure_kind = ToString(FailureKind::kCancelled);
  run.error_message = "the run was cancelled after its engine was gone";
  run.ended_at = std::max(now, run.started_at);
  PublishEnd(paths, run, stages, jobs, clock);
  store->InTransaction([&] {
    for (StageRecord& stage : stages) store->PutStage(&stage);
    for (JobRecord& job : jobs) {
      job.status = "ended";
      job.ended_at = now;
      store->PutJob(&job);
    }
    store->DropGpuClaimsOf(run_id);
    store->PutRun(run);
  });
  return CancelOutcome::kCancelled;
}

}  // namespace cosmos
