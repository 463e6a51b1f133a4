#include "run/cleanup/garbage_place.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/status.h"
#include "run/run_cancel.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"
#include "run/run_report.h"

namespace cosmos {
namespace {

using nlohmann::json;

// By name; nothing when the run's folder is gone.
std::optional<json> TargetsOf(const RunRecord& run) {
  try {
    return LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs()).targets;
  } catch (const Error&) {
    return std::nullopt;
  }
}

class PlaceList {
 public:
  GarbagePlace& Add(const std::string& name, const json& config) {
    auto place = std::find_if(places_.begin(), places_.end(), [&](const auto& known) { return known.Holds(config); });
    if (place == places_.end()) place = places_.insert(places_.end(), {name, {}, config, {}, {}, {}});
    place->names.insert(name);
    if (!place->IsLocal()) {
      place->workdirs.insert(config.value("workdir", ""));
      place->target_of_workdir.try_emplace(config.value("workdir", ""), name);
    }
    if (config.contains("container")) place->engines.insert(ContainerEngine::FromJson(config["container"]));
    return *place;
  }
  std::vector<GarbagePlace> Take() { return std::move(places_); }

 private:
  std::vector<GarbagePlace> places_;
};

}  // namespace

bool GarbagePlace::Holds(const json& other) const {
  return IsLocal() ? !other.contains("ssh") : other.contains("ssh") && other["ssh"] == config["ssh"];
}

std::vector<GarbagePlace> GarbagePlaces(const std::map<std::string, json>& targets, RunStore* store) {
  return GarbagePlaces(targets, AllRuns(store), store);
}

std::vector<GarbagePlace> GarbagePlaces(const std::map<std::string, json>& targets, const std::vector<RunRecord>& runs,
                                        RunStore* store) {
  PlaceList places;
  for (const auto& [name, config] : targets) places.Add(name, config);
  for (const RunRecord& run : runs) {
    std::map<std::string, std::set<ContainerEngine>> used;  // by the target's name
    for (const StageRecord& stage : store->StagesOf(run.run_id)) used[stage.target];
    for (const ContainerRecord& container : store->ContainersOf(run.run_id)) {
      used[container.target].insert({container.engine, container.sudo});
    }
    const auto local = used.find("local");
    if (local != used.end() && local->second.empty()) used.erase(local);  // it is there anyway
    const auto of_run = used.empty() ? std::nullopt : TargetsOf(run);
    if (!of_run) continue;
    for (const auto& [name, engines] : used) {
      if (of_run->contains(name)) places.Add(name, of_run->at(name)).engines.insert(engines.begin(), engines.end());
    }
  }
  return places.Take();
}

RunStanding StandingOf(const std::string& run_id, RunStore* store) {
  if (!store->HasRun(run_id)) return RunStanding::kUnknown;
  const RunRecord run = store->GetRun(run_id);
  if (IsActive(run)) return RunStanding::kActive;
  return IsEnd(StatusOf(run.status)) ? RunStanding::kEnded : RunStanding::kInterrupted;
}

std::vector<std::string> OpenRunsOn(const GarbagePlace& place, RunStore* store) {
  std::vector<std::string> open;
  for (const RunRecord& run : AllRuns(store)) {
    if (IsEnd(StatusOf(run.status)) && !IsActive(run)) continue;
    const auto targets = TargetsOf(run);
    const bool there = !targets || std::any_of(targets->begin(), targets->end(),
                                               [&](const json& target) { return place.Holds(target); });
    if (there) open.push_back(run.run_id);
  }
  return open;
}

}  // namespace cosmos
