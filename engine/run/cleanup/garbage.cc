#include "run/cleanup/garbage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "job/container.h"
#include "run/run_lock.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

using Kind = GarbageItem::Kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kLongestToLook = minutes(10);  // sizes of large folders take long
constexpr auto kLongestToRemove = minutes(30);
constexpr auto kGrace = seconds(10);     // between TERM and KILL
constexpr auto kKillWait = seconds(10);  // for what was killed to be gone
constexpr auto kPause = milliseconds(200);
constexpr std::size_t kMostNames = 5;
constexpr std::size_t kMostSaid = 300;

// `python (123), sh (124) and 3 more`.
std::string NamesOf(const std::vector<FoundProcess>& processes) {
  std::vector<std::string> names;
  for (const FoundProcess& process : processes) {
    if (names.size() < kMostNames) names.push_back(fmt::format("{} ({})", process.name, process.pid));
  }
  return Join(names, ", ") +
         (processes.size() > names.size() ? fmt::format(" and {} more", processes.size() - names.size()) : "");
}

std::string ReasonOf(RunStanding standing) {
  switch (standing) {
    case RunStanding::kEnded:
      return "its run has ended";
    case RunStanding::kActive:
      return "its run is active";
    case RunStanding::kInterrupted:
      return "its run was interrupted: resume or cancel it";
    case RunStanding::kUnknown:
      break;
  }
  return "not of this database";
}

void Fail(GarbageItem* item, const std::string& reason) { item->reason = "could not be removed: " + reason; }

// Why a script that was to remove something failed.
std::string ReasonOf(const TargetOutput& output) {
  if (output.timed_out) return "it took too long";
  const std::string said = output.errors.empty() ? output.output : output.errors;
  return said.empty() ? fmt::format("exit status {}", output.exit_status) : TruncateUtf8(said, kMostSaid);
}

}  // namespace

std::string_view ToString(Kind kind) {
  constexpr std::string_view kWords[] = {"container", "processes", "folder", "inputs"};
  return kWords[static_cast<int>(kind)];
}

GarbageCollector::GarbageCollector(GarbagePlace place, RunStore* store)
    : place_(std::move(place)),
      engines_(place_.engines.begin(), place_.engines.end()),
      workdirs_(place_.workdirs.begin(), place_.workdirs.end()),
      store_(*store) {}

void GarbageCollector::Complain(const Error& error) {
  problem_ += (problem_.empty() ? "" : "; ") + error.message();
  if (!hint_.empty()) return;
  // What a connection that breaks says of runs helps nobody here.
  const bool broke = reachable_ && error.code() == ErrorCode::kConnectionLost;
  hint_ = broke ? "call `cosmos-engine gc` again once it is back" : error.hint();
}

void GarbageCollector::Look() {
  items_.clear();
  problem_.clear();
  hint_.clear();
  reachable_ = false;
  try {
    contact_ = std::make_unique<TargetContact>(place_.config);
    contact_->Reach();
    reachable_ = true;
    found_ = Ask(LookScript(engines_, workdirs_));
    for (const std::string& problem : found_.problems) {
      Complain(Error(ErrorCode::kUnavailable, problem, "see `cosmos-engine targets check " + place_.target + "`"));
    }
    AddContainers();
    AddProcesses();
    AddFolders();
    AddInputs();
  } catch (const Error& error) {
    Complain(error);
  }
}

Leftovers GarbageCollector::Ask(const std::string& script) {
  const TargetOutput output = contact_->get()->Run(script, kLongestToLook);
  Leftovers found = ParseLeftovers(output.output, engines_.size(), workdirs_.size());
  if (found.whole) return found;
  throw Error(ErrorCode::kUnavailable, "it does not tell all that is there: " + ReasonOf(output),
              "see `cosmos-engine targets check " + place_.target + "`");
}

GarbageItem GarbageCollector::ItemOf(Kind kind, const std::string& run_id, const std::string& name) {
  const RunStanding standing = StandingOf(run_id, &store_);
  GarbageItem item;
  item.kind = kind;
  item.run_id = run_id;
  item.name = name;
  item.target = place_.target;
  item.removable = standing == RunStanding::kEnded;
  item.reason = ReasonOf(standing);
  return item;
}

void GarbageCollector::AddContainers() {
  for (const FoundContainer& container : found_.containers) {
    GarbageItem item =
        ItemOf(Kind::kContainer, container.run_id, container.name + (container.running ? " (running)" : " (ended)"));
    item.engine = engines_[container.engine];
    item.container_id = container.id;
    for (const ContainerRecord& record : store_.ContainersOf(container.run_id)) {
      // A run of the same name in another database may have one of the same name.
      if (record.name != container.name || record.container_id.empty() || record.container_id == container.id) continue;
      item.removable = false;
      item.reason = "the run's own container of this name had another id";
    }
    items_.push_back(std::move(item));
  }
}

bool GarbageCollector::IsOfRun(const std::string& run_id, const FoundProcess& process, const Leftovers& found) const {
  if (process.output_dir.empty() || !store_.HasRun(run_id)) return true;
  if (place_.IsLocal()) {
    const std::string folder = RunPaths(store_.GetRun(run_id).output_dir, run_id).folder().string();
    return process.output_dir.rfind(folder + "/", 0) == 0;
  }
  const std::string below = "/.cosmos/jobs/" + run_id + "/";
  for (std::size_t i = 0; i < workdirs_.size(); ++i) {
    const auto workdir = found.workdirs.find(i);
    if (workdir != found.workdirs.end()) {
      if (process.output_dir.rfind(workdir->second + below, 0) == 0) return true;
      continue;
    }
    // It was removed by hand, and how it is written is all that is known of it.
    const std::string written = workdirs_[i].rfind("~/", 0) == 0 ? workdirs_[i].substr(1) : workdirs_[i];
    if (process.output_dir.find(written + below) != std::string::npos) return true;
  }
  return false;
}

std::vector<FoundProcess> GarbageCollector::ProcessesOf(const std::string& run_id, const Leftovers& found) const {
  return ProcessesToEnd(found, run_id, [&](const FoundProcess& process) { return IsOfRun(run_id, process, found); });
}

void GarbageCollector::AddProcesses() {
  if (place_.IsLocal()) found_.own_sessions.insert(::getsid(0));
  std::set<std::string> runs;
  for (const FoundProcess& process : found_.processes) {
    if (!process.run_id.empty()) runs.insert(process.run_id);
  }
  for (const std::string& run_id : runs) {
    if (const auto own = ProcessesOf(run_id, found_); !own.empty()) {
      items_.push_back(ItemOf(Kind::kProcesses, run_id, NamesOf(own)));
    }
    std::vector<FoundProcess> others = found_.processes;
    std::erase_if(others, [&](const FoundProcess& process) {
      return process.run_id != run_id || IsOfRun(run_id, process, found_);
    });
    if (others.empty()) continue;
    GarbageItem item = ItemOf(Kind::kProcesses, run_id, NamesOf(others));
    item.removable = false;
    item.reason = "their COSMOS_OUTPUT_DIR is none of the run's here";
    items_.push_back(std::move(item));
  }
}

void GarbageCollector::AddFolders() {
  for (const FoundFolder& folder : found_.folders) {
    GarbageItem item =
        ItemOf(Kind::kFolder, folder.run_id, found_.workdirs[folder.workdir] + "/.cosmos/jobs/" + folder.run_id);
    item.size = folder.size;
    item.workdir = workdirs_[folder.workdir];
    item.target = place_.target_of_workdir.at(item.workdir);
    items_.push_back(std::move(item));
  }
}

void GarbageCollector::AddInputs() {
  const std::vector<std::string> open = OpenRunsOn(place_, &store_);
  for (const auto& [number, size] : found_.inputs) {
    GarbageItem item;
    item.kind = Kind::kInputs;
    item.name = found_.workdirs[number] + "/.cosmos/inputs";
    item.size = size;
    item.workdir = workdirs_[number];
    item.target = place_.target_of_workdir.at(item.workdir);
    const bool unknown = std::any_of(found_.folders.begin(), found_.folders.end(), [&, &number = number](auto& folder) {
      return folder.workdir == number && StandingOf(folder.run_id, &store_) == RunStanding::kUnknown;
    });
    if (!open.empty()) {
      item.reason = "run " + open[0] + " has not ended and may need them";
    } else if (unknown || found_.strange.contains(number)) {
      item.reason = "runs that are not of this database may need them";
    } else {
      item.removable = true;
      item.reason = "no run needs them any more";
    }
    items_.push_back(std::move(item));
  }
}

void GarbageCollector::Remove() {
  std::set<std::string> runs;
  for (const GarbageItem& item : items_) {
    if (item.removable && item.kind != Kind::kInputs) runs.insert(item.run_id);
  }
  try {
    for (const std::string& run_id : runs) RemoveOfRun(run_id);
    for (GarbageItem& item : items_) {
      if (item.removable && item.kind == Kind::kInputs) RemoveInputs(&item);
    }
  } catch (const Error& error) {
    Complain(error);
  }
}

// Under the run's lock nobody goes on with it meanwhile. Where its folder is gone, nobody can.
void GarbageCollector::RemoveOfRun(const std::string& run_id) {
  std::vector<GarbageItem*> own;
  for (GarbageItem& item : items_) {
    if (item.removable && item.run_id == run_id) own.push_back(&item);
  }
  const RunPaths paths(store_.GetRun(run_id).output_dir, run_id);
  std::optional<RunLock> lock;
  try {
    std::error_code error;
    if (std::filesystem::exists(paths.folder(), error)) lock.emplace(paths.lock());
    if (!IsEnd(StatusOf(store_.GetRun(run_id).status))) throw Error(ErrorCode::kConflict, "its run goes on meanwhile");
  } catch (const Error& error) {
    for (GarbageItem* item : own) Fail(item, error.message());
    return;
  }
  RemoveContainers(run_id);
  bool ended = true;
  for (GarbageItem* item : own) {
    if (item->kind == Kind::kProcesses) RemoveProcesses(item);
    if (item->kind != Kind::kFolder) ended = ended && item->removed;
  }
  for (GarbageItem* item : own) {
    if (item->kind != Kind::kFolder) continue;
    if (ended) {
      RemoveFolder(item);
    } else {
      Fail(item, "what works in it could not be ended");
    }
  }
}

void GarbageCollector::RemoveContainers(const std::string& run_id) {
  std::map<ContainerEngine, std::vector<GarbageItem*>> by_engine;
  for (GarbageItem& item : items_) {
    if (item.removable && item.kind == Kind::kContainer && item.run_id == run_id) {
      by_engine[item.engine].push_back(&item);
    }
  }
  for (const auto& [engine, items] : by_engine) {
    std::vector<std::string> ids;
    for (const GarbageItem* item : items) ids.push_back(item->container_id);
    const TargetOutput output = contact_->get()->Run(RemoveContainersScript(engine, ids, kGrace), kLongestToRemove);
    const std::vector<std::string> lines = SplitLines(output.output);
    const auto said = [&](const std::string& line) {
      return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    for (GarbageItem* item : items) {
      item->removed = said("asked now") && !said("left " + item->container_id);
      if (!item->removed) Fail(item, engine.Name() + " did not do it");
    }
  }
  for (ContainerRecord record : store_.ContainersOf(run_id)) {
    const bool removed = std::any_of(items_.begin(), items_.end(), [&](const GarbageItem& item) {
      return item.removed && item.kind == Kind::kContainer && item.name.rfind(record.name + " ", 0) == 0;
    });
    if (!removed) continue;
    record.status = "removed";
    store_.PutContainer(&record);
  }
}

// They are looked for again each time, as their numbers may long be others'.
void GarbageCollector::RemoveProcesses(GarbageItem* item) {
  const auto begin = std::chrono::steady_clock::now();
  for (bool told = false;; told = true) {
    Leftovers found = Ask(ProcessesScript());
    if (place_.IsLocal()) found.own_sessions.insert(::getsid(0));
    found.workdirs = found_.workdirs;
    const std::vector<FoundProcess> left = ProcessesOf(item->run_id, found);
    item->removed = left.empty();
    const auto now = std::chrono::steady_clock::now();
    if (item->removed) return;
    if (now > begin + kGrace + kKillWait) return Fail(item, NamesOf(left) + " did not end");
    // KILL again and again: a process that was just being made was not there to be signalled.
    const char* signal = now > begin + kGrace ? "KILL" : told ? nullptr : "TERM";
    if (signal != nullptr) contact_->get()->Run(SignalScript(signal, left), kLongestToLook);
    std::this_thread::sleep_for(kPause);
  }
}

// What a container made as another user only its engine may give back.
void GarbageCollector::RemoveFolder(GarbageItem* item) {
  const auto remove = [&] {
    const TargetOutput output = contact_->get()->Run(RemoveFolderScript(item->workdir, item->run_id), kLongestToRemove);
    item->removed = output.exit_status == 0;
    return output;
  };
  TargetOutput output = remove();
  const std::vector<ContainerRecord> containers = store_.ContainersOf(item->run_id);
  if (!item->removed && !containers.empty()) {
    TakeOver(contact_->get(), containers.front(), item->name);
    output = remove();
  }
  if (!item->removed) Fail(item, ReasonOf(output));
}

void GarbageCollector::RemoveInputs(GarbageItem* item) {
  if (const auto open = OpenRunsOn(place_, &store_); !open.empty()) {
    return Fail(item, "run " + open[0] + " has begun meanwhile and may need them");
  }
  const TargetOutput output = contact_->get()->Run(RemoveInputsScript(item->workdir), kLongestToRemove);
  item->removed = output.exit_status == 0;
  if (!item->removed) Fail(item, ReasonOf(output));
}

}  // namespace cosmos
