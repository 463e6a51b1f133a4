#include "run/status/status_report.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/status.h"
#include "job/gpu_queue.h"
#include "run/lost_connections.h"
#include "run/run_cancel.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "run/targets/target_set.h"
#include "target/ssh/ssh_options.h"

namespace cosmos {
namespace {

using nlohmann::json;

class Reporter {
 public:
  Reporter(const std::vector<KnownHost>* hosts, RunStore* store) : hosts_(*hosts), store_(*store) {
    claims_ = store_.GpuClaims();
    open_ = OpenRuns(&store_);
    for (const RunRecord& run : open_) {
      try {
        const json targets = LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs()).targets;
        for (const auto& [name, config] : targets.items()) run_targets_[run.run_id][name] = config;
      } catch (const Error&) {  // its folder is gone
      }
    }
  }

  json Targets(const std::map<std::string, json>& targets) {
    for (const auto& [name, config] : targets) names_.insert(name);
    json list = json::array();
    for (const auto& [name, config] : targets) {
      const KnownHost* const host = HostOf(config);
      if (host != nullptr) list.push_back(TargetOf(name, config, *host));
    }
    // Hosts that runs know by a name that means another one here, or nothing.
    for (const auto& [name, config] : TargetsOfRuns(targets)) {
      const KnownHost* const host = HostOf(config);
      if (host != nullptr) list.push_back(TargetOf(name, config, *host));
    }
    return list;
  }

  json Runs() {
    json list = json::array();
    for (const RunRecord& run : open_) {
      json of_run = RunToJson(run);
      of_run["queued"] = QueuedToJson(run.run_id, &store_);
      of_run["stages"] = StagesOf(run);
      of_run["lost_connections"] = LostConnections(run);
      of_run["state"] = StateOf(run, of_run);
      list.push_back(std::move(of_run));
    }
    return list;
  }

  json Orphans() {
    json list = json::array();
    for (const KnownHost& host : hosts_) {
      for (const FoundContainer& container : host.state.found.containers) {
        if (container.running && StandingName(container.run_id) == "orphan") {
          list.push_back(Orphan(host, "container", container.run_id, container.name));
        }
      }
      std::map<std::string, std::string> processes;  // by run
      for (const FoundProcess& process : host.state.found.processes) {
        if (process.run_id.empty() || StandingName(process.run_id) != "orphan") continue;
        std::string& names = processes[process.run_id];
        names += (names.empty() ? "" : ", ") + process.name + " (" + std::to_string(process.pid) + ")";
      }
      for (const auto& [run_id, names] : processes) list.push_back(Orphan(host, "processes", run_id, names));
    }
    return list;
  }

 private:
  const KnownHost* HostOf(const json& config) const {
    const auto host =
        std::find_if(hosts_.begin(), hosts_.end(), [&](const KnownHost& known) { return known.place.Holds(config); });
    return host == hosts_.end() ? nullptr : &*host;
  }
  // What the run itself means by the name of a target, and the host behind it; null: not known.
  const json* ConfigOf(const std::string& run_id, const std::string& target) const {
    const auto run = run_targets_.find(run_id);
    if (run == run_targets_.end()) return nullptr;
    const auto config = run->second.find(target);
    return config == run->second.end() ? nullptr : &config->second;
  }
  const KnownHost* HostOfTarget(const std::string& run_id, const std::string& target) const {
    if (target == "local") return HostOf(json::object());
    const json* const config = ConfigOf(run_id, target);
    return config == nullptr ? nullptr : HostOf(*config);
  }
  // Those that jobs are on, and that none of `targets` is.
  std::vector<std::pair<std::string, json>> TargetsOfRuns(const std::map<std::string, json>& targets) const {
    std::vector<std::pair<std::string, json>> more;
    const auto same = [this](const json& a, const json& b) { return HostOf(a) == HostOf(b); };
    for (const RunRecord& run : open_) {
      for (const JobRecord& job : store_.JobsOf(run.run_id)) {
        const json* const config = job.status == "ended" ? nullptr : ConfigOf(run.run_id, job.target);
        if (config == nullptr || !names_.contains(job.target)) continue;
        const bool known =
            std::any_of(targets.begin(), targets.end(),
                        [&](const auto& target) { return same(target.second, *config); }) ||
            std::any_of(more.begin(), more.end(), [&](const auto& target) { return same(target.second, *config); });
        if (!known) more.emplace_back(job.target, *config);
      }
    }
    return more;
  }

  // A run that was interrupted may be gone on with, so what it has is none of the orphans.
  const std::string& StandingName(const std::string& run_id) {
    const auto [entry, is_new] = standing_.try_emplace(run_id);
    if (is_new) {
      const RunStanding standing = StandingOf(run_id, &store_);
      entry->second = standing == RunStanding::kEnded     ? "orphan"
                      : standing == RunStanding::kUnknown ? "unknown"
                                                          : "active";
    }
    return entry->second;
  }

  static json Orphan(const KnownHost& host, const char* kind, const std::string& run_id, const std::string& name) {
    return {{"target", host.place.target}, {"kind", kind}, {"run_id", run_id}, {"name", name}};
  }

  json TargetOf(const std::string& name, const json& config, const KnownHost& host) {
    const HostState& state = host.state;
    const GpuReading& reading = state.gpus.reading;
    const bool is_ssh = config.contains("ssh");
    std::optional<Duration> age = state.found_age;
    if (state.gpus.age && (!age || *state.gpus.age > *age)) age = state.gpus.age;
    json gpus = json::array();
    for (const GpuFacts& gpu : reading.gpus) {
      json facts = ToJson(gpu);
      facts["holder"] = HolderOf(gpu, HostKeyOf(config));
      facts["mig_devices"] = json::array();
      for (const MigDevice& device : reading.mig_devices) {
        if (device.gpu != gpu.index) continue;
        facts["mig_devices"].push_back({{"profile", device.profile}, {"uuid", device.uuid}});
      }
      gpus.push_back(std::move(facts));
    }
    return {{"name", name},
            {"kind", is_ssh ? "ssh" : "local"},
            {"host", is_ssh ? json(NameOf(SshOptionsOf(config["ssh"]))) : json()},
            {"reachable", state.reachable},
            {"problem", TextOrNull(state.problem)},
            {"age", age ? json(Seconds(*age)) : json()},
            {"driver", TextOrNull(reading.driver)},
            {"gpu_problem", TextOrNull(reading.problem)},
            {"gpus", gpus},
            {"containers", ContainersOf(state.found)},
            {"jobs", JobsOf(name, config, host)}};
  }

  json HolderOf(const GpuFacts& gpu, const std::string& host) const {
    for (const GpuClaimRecord& claim : claims_) {
      for (const LeasedGpu& held : LeasedGpusOf(claim)) {
        const bool same = held.uuid.empty() || gpu.uuid.empty() ? claim.host == host && held.index == gpu.index
                                                                : held.uuid == gpu.uuid;
        if (same) return {{"run_id", claim.run_id}, {"stage", claim.stage}, {"instance", TextOrNull(claim.instance)}};
      }
    }
    return json();
  }

  json ContainersOf(const Leftovers& found) {
    json list = json::array();
    for (const FoundContainer& container : found.containers) {
      json stage, instance;
      for (const ContainerRecord& record : store_.ContainersOf(container.run_id)) {
        if (record.name != container.name) continue;
        stage = record.stage;
        instance = TextOrNull(record.instance);
      }
      list.push_back({{"name", container.name},
                      {"run_id", container.run_id},
                      {"stage", stage},
                      {"instance", instance},
                      {"running", container.running},
                      {"state", StandingName(container.run_id)}});
    }
    return list;
  }

  // What the store knows to run on the target, and whether it is found there.
  json JobsOf(const std::string& target, const json& config, const KnownHost& host) {
    const HostState& state = host.state;
    json list = json::array();
    for (const RunRecord& run : open_) {
      for (const JobRecord& job : store_.JobsOf(run.run_id)) {
        if (job.target != target || job.status == "ended") continue;
        if (ConfigOf(run.run_id, target) != nullptr && HostOfTarget(run.run_id, target) != HostOf(config)) continue;
        list.push_back({{"run_id", job.run_id},
                        {"stage", job.stage},
                        {"instance", TextOrNull(job.instance)},
                        {"attempt", job.attempt},
                        {"container", TextOrNull(job.container)},
                        {"since", TimeOrNull(job.submitted_at)},
                        {"found", FoundOf(run.run_id, job.submitted_at, state)}});
      }
    }
    return list;
  }

  // Whether something of the run is there; null when a list lacks something, or is older than what is looked for.
  static json FoundOf(const std::string& run_id, std::int64_t since, const HostState& state) {
    if (!state.reachable) return json();
    if (IsThere(run_id, state.found)) return true;
    return state.complete_at && *state.complete_at > since ? json(false) : json();
  }

  static bool IsThere(const std::string& run_id, const Leftovers& found) {
    return std::any_of(found.processes.begin(), found.processes.end(),
                       [&](const FoundProcess& process) { return process.run_id == run_id; }) ||
           std::any_of(found.containers.begin(), found.containers.end(), [&](const FoundContainer& container) {
             return container.running && container.run_id == run_id;
           });
  }

  json StagesOf(const RunRecord& run) {
    json list = json::array();
    for (const StageRecord& stage : store_.StagesOf(run.run_id)) {
      if (IsEnd(StatusOf(stage.status))) continue;
      const json progress = TryParseJson(stage.progress, kOwnJson);
      list.push_back({{"stage", stage.stage},
                      {"instance", TextOrNull(stage.instance)},
                      {"attempt", stage.attempt},
                      {"status", stage.status},
                      {"target", stage.target},
                      {"progress", progress.is_object() ? progress : json()},
                      {"started_at", TimeOrNull(stage.started_at)}});
    }
    return list;
  }

  std::string StateOf(const RunRecord& run, const json& of_run) {
    if (IsActive(run)) return of_run["stages"].empty() && !of_run["queued"].empty() ? "queued" : "running";
    std::int64_t since = run.started_at;
    for (const StageRecord& stage : store_.StagesOf(run.run_id)) since = std::max(since, stage.started_at);
    for (const JobRecord& job : store_.JobsOf(run.run_id)) since = std::max(since, job.submitted_at);
    std::set<std::string> targets;
    for (const json& stage : of_run["stages"]) targets.insert(stage["target"].get<std::string>());
    for (const std::string& target : targets) {
      const KnownHost* const host = HostOfTarget(run.run_id, target);
      if (host == nullptr || FoundOf(run.run_id, since, host->state) != json(false)) return "interrupted";
    }
    return "zombie";
  }

  const std::vector<KnownHost>& hosts_;
  RunStore& store_;
  std::vector<GpuClaimRecord> claims_;
  std::vector<RunRecord> open_;
  std::map<std::string, std::string> standing_;                     // by run
  std::map<std::string, std::map<std::string, json>> run_targets_;  // of open runs, by name, as they mean them
  std::set<std::string> names_;                                     // of the targets that were asked for
};

}  // namespace

std::vector<RunRecord> OpenRuns(RunStore* store) { return AllRuns(store, std::string(ToString(Status::kRunning))); }

json StatusReport(const std::map<std::string, json>& targets, const std::vector<KnownHost>& hosts, RunStore* store) {
  Reporter reporter(&hosts, store);
  return {{"targets", reporter.Targets(targets)}, {"runs", reporter.Runs()}, {"orphans", reporter.Orphans()}};
}

}  // namespace cosmos
