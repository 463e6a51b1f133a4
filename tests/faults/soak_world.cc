#include "soak_world.h"

#include <map>
#include <thread>

namespace cosmos::testing {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr int kMaxEngines = 8;  // that may come for one run
// For what an engine does after its job began: another connection, for which it asks `ssh -G` over three pipes, a
// download, and the diagnosis of a failure.
constexpr int kMaxDescriptorsMore = 16;
constexpr const char* kScript =
    "i=0; while [ $i -lt 40 ]; do echo \"line $i\"; i=$((i + 1)); sleep 0.05; done; seq 3000; echo made "
    ">\"$COSMOS_OUTPUT_DIR/o\"";

void Miss(int* count, SoakResult* result, const std::string& what) {
  ++*count;
  result->what += (result->what.empty() ? "" : "; ") + what;
}

}  // namespace

SoakWorld::SoakWorld() : docker_(std::make_unique<DockerDaemon>("/tmp", true)) {
  host_ =
      std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host() + "\nMaxStartups 100", docker_->socket());
  host_disk_ = std::make_unique<SmallDisk>(host_->workdir(), "32m");
  store_disk_ = std::make_unique<SmallDisk>(database().parent_path(), "32m");
}

SoakRun SoakWorld::Begin(const std::string& id, bool in_container) {
  const std::string starts = (host_->workdir() / ("starts." + id)).string();
  // Containers get no GPUs here, as there are none.
  const std::string gpus = in_container ? "" : "resources: {gpus: 1}, ";
  const std::string more =
      in_container ? ", container: {image: \"cosmos-test:latest\", args: [--network, none]}" : ", gpus: 1";
  sandbox_.Write("w.yaml",
                 host_->Workflow("hooks: {log-streamer: {}}\nstages: {a: {uses: shell, target: gpu1, " + gpus +
                                     "with: {run: 'echo x >>" + starts + "; " + kScript + "', outputs: {o: o}}}}\n",
                                 more));
  SoakRun run{id, in_container};
  run.engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", id, "--no-preflight", "--db", database().string()});
  Await("job of " + id, [&] { return Starts(run) > 0; });
  run.descriptors = DescriptorsOf(run.engine);
  return run;
}

int SoakWorld::Starts(const SoakRun& run) const {
  const std::string lines = sandbox_.Read(host_->workdir() / ("starts." + run.id));
  return static_cast<int>(std::count(lines.begin(), lines.end(), '\n'));
}

void SoakWorld::Finish(SoakRun* run) {
  for (int engines = 0; engines < kMaxEngines; ++engines) {
    if (run->engine > 0) {
      while (!HasEnded(run->engine)) {
        run->most_descriptors = std::max(run->most_descriptors, DescriptorsOf(run->engine));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      run->status = sandbox_.Wait(run->engine);
    }
    run->engine = -1;
    const Ended shown = sandbox_.Engine({"show", run->id, "--db", database().string(), "--format", "json"});
    if (shown.status == 0 && json::parse(shown.out)["status"] != "running") return;
    run->engine = sandbox_.StartEngine({"resume", run->id, "--db", database().string()});
  }
}

SoakResult SoakWorld::Check(const SoakRun& run, const std::set<std::string>& ends, SoakLog log) {
  SoakResult result;
  const Ended shown = sandbox_.Engine({"show", run.id, "--db", database().string(), "--format", "json"});
  if (shown.status != 0) {
    Miss(&result.lost, &result, "the record: " + shown.err);
    return result;
  }
  const std::string status = json::parse(shown.out)["status"];
  if (ends.count(status) == 0) Miss(&result.lost, &result, "it ended as " + status + ": " + shown.out);
  if (Starts(run) > 1) Miss(&result.doubled, &result, std::to_string(Starts(run)) + " starts");
  if (status == "succeeded") CheckGoodEnd(run, log, &result);
  CheckJournal(run, &result);
  CheckLeftovers(run, &result);
  return result;
}

void SoakWorld::CheckGoodEnd(const SoakRun& run, SoakLog log_of_job, SoakResult* result) const {
  if (sandbox_.Read(sandbox_.outputs() / "a" / run.id / "o") != "made\n") Miss(&result->lost, result, "the output");
  const std::string log = sandbox_.Read("outputs/a/logs/run_" + run.id + ".log");
  if (log_of_job != SoakLog::kReplaced && log != sandbox_.Read(job(run) / "run.log"))
    Miss(&result->lost, result, "the log differs from the job's own");
  if (log_of_job == SoakLog::kLacksLines) return;
  if (log.find("line 0\n") == log.npos || log.find("\n3000\n") == log.npos)
    Miss(&result->lost, result, "lines of the log");
}

void SoakWorld::CheckJournal(const SoakRun& run, SoakResult* result) const {
  std::map<std::string, int> open;
  std::int64_t last = 0;
  bool finished = false;
  for (const json& event : sandbox_.Journal(run.id)) {
    const std::string type = event["type"];
    if (event["seq"].get<std::int64_t>() <= last) Miss(&result->doubled, result, "a number of the journal");
    last = event["seq"];
    if (type == "run_finished") finished = true;
    if (!event.contains("attempt") || type.rfind("stage_", 0) != 0) continue;
    const std::string key = event["stage"].get<std::string>() + std::to_string(event["attempt"].get<int>());
    if (type == "stage_started") ++open[key];
    if (type == "stage_finished" || type == "stage_failed" || type == "stage_cancelled") --open[key];
  }
  for (const auto& [key, count] : open) {
    if (count > 0) Miss(&result->lost, result, "the end of " + key + " in the journal");
    if (count < 0) Miss(&result->doubled, result, "an end of " + key + " in the journal");
  }
  if (!finished) Miss(&result->lost, result, "the end of the run in the journal");
}

void SoakWorld::CheckLeftovers(const SoakRun& run, SoakResult* result) const {
  if (run.most_descriptors > run.descriptors + kMaxDescriptorsMore)
    Miss(&result->left, result,
         std::to_string(run.most_descriptors) + " descriptors after " + std::to_string(run.descriptors));
  // What an engine held on the host ends with its connection, of which the host may hear a moment later.
  for (int i = 0; i < 600 && !host_->Processes().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  if (!host_->Processes().empty()) Miss(&result->left, result, "processes on the host");
  if (!docker_->Containers().empty()) Miss(&result->left, result, "containers");
  const Ended claims = RunProgram({"sqlite3", database().string(), "SELECT count(*) FROM gpu_claims"});
  if (claims.status != 0 || claims.out != "0\n") Miss(&result->left, result, "leases: " + claims.out + claims.err);
  for (const fs::path& folder : {sandbox_.outputs(), host_->workdir()}) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (name.find(".part") != name.npos || name.find(".tmp") != name.npos) {
        Miss(&result->left, result, "a temporary file " + entry.path().string());
      }
    }
  }
}

void SoakWorld::Clear(const SoakRun& run) {
  RunProgram({"rm", "-rf", (host_->workdir() / ".cosmos/jobs" / run.id).string()});
  fs::remove_all(sandbox_.outputs() / "a" / run.id);
}

}  // namespace cosmos::testing
