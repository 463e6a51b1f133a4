#include "run/cleanup/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/ids.h"
#include "core/status.h"
#include "core/text.h"
#include "run/cleanup/garbage_place.h"
#include "run/run_inputs.h"
#include "run/run_lock.h"
#include "run/run_paths.h"
#include "run/run_report.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 60 * 60 * 1000;  // milliseconds

// The names that stand between slashes: of all paths in `text`, the folders.
std::set<std::string> FolderNames(const std::string& text) {
  std::set<std::string> names;
  for (std::size_t slash = text.find('/'); slash != text.npos;) {
    const std::size_t next = text.find('/', slash + 1);
    if (next == text.npos) break;
    std::string name = text.substr(slash + 1, next - slash - 1);
    if (IsSafeName(name)) names.insert(std::move(name));
    slash = next;
  }
  return names;
}

std::set<std::string> HostsOf(const RunRecord& run, RunStore* store) {
  std::set<std::string> hosts;
  try {
    const nlohmann::json targets = LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs()).targets;
    for (const StageRecord& stage : store->StagesOf(run.run_id)) {
      if (targets.contains(stage.target) && targets[stage.target].contains("ssh")) hosts.insert(stage.target);
    }
  } catch (const Error&) {
    // Its folder is gone, and nothing tells any more.
  }
  return hosts;
}

std::string AgeOf(const RunRecord& run, WallTime now) {
  const std::int64_t days = (UnixMilliseconds(now) - run.ended_at) / kDay;
  return days < 1 ? "ended today" : "ended " + Counted(days, "day") + " ago";
}

// Folders that are empty now, below the run's output folder.
void RemoveEmptyParents(const fs::path& path, const fs::path& output_dir) {
  std::error_code error;
  for (fs::path folder = path.parent_path();; folder = folder.parent_path()) {
    const fs::path below = folder.lexically_relative(output_dir.lexically_normal());
    if (below.empty() || below == "." || *below.begin() == ".." || !fs::remove(folder, error)) return;
  }
}

void RemoveAll(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw IoError("remove", path, error.value());
}

}  // namespace

bool Pruner::KeptByRules(const RunRecord& run) {
  ++looked_at_;
  if (rules_.keep_last && looked_at_ <= *rules_.keep_last) return true;
  return rules_.keep_days && run.ended_at > UnixMilliseconds(now_) - *rules_.keep_days * kDay;
}

std::string Pruner::UserOf(const std::set<std::string>& names, bool any) const {
  for (const std::string& name : names) {
    const auto user = users_.find(name);
    if (user != users_.end() && (any || !user->second.second)) return user->second.first;
  }
  return "";
}

// What a run was started from is kept beside it as it was written.
void Pruner::NoteInputs(const RunRecord& run, bool ended) {
  std::string text;
  try {
    text = ReadOwnFile(RunPaths(run.output_dir, run.run_id).inputs());
  } catch (const Error&) {
    return;  // nobody goes on with it
  }
  for (const std::string& name : FolderNames(text)) {
    const auto [user, added] = users_.try_emplace(name, run.run_id, ended);
    if (!added && !ended) user->second = {run.run_id, ended};
  }
}

void Pruner::Look() {
  items_.clear();
  users_.clear();
  looked_at_ = 0;
  kept_by_rules_ = 0;
  others_at_work_ = false;
  for (const RunRecord& run : AllRuns(&store_)) {
    const RunStanding standing = StandingOf(run.run_id, &store_);
    PruneItem item;
    item.run = run;
    const bool ended = standing == RunStanding::kEnded;
    if (!ended) {
      others_at_work_ = others_at_work_ || standing == RunStanding::kActive;
      item.reason = standing == RunStanding::kActive ? "it is active" : "it was interrupted: resume or cancel it";
    } else if (rules_.failed && run.status == ToString(Status::kSucceeded)) {
      NoteInputs(run, ended);
      continue;
    } else if (KeptByRules(run)) {
      ++kept_by_rules_;
      NoteInputs(run, ended);
      continue;
    } else {
      const std::set<std::string> names = NamesOfRun(run, store_.StagesOf(run.run_id));
      const std::string user = UserOf(names, true);
      item.removable = user.empty() || (rules_.outputs && UserOf(names, false).empty());
      if (item.removable) {
        item.reason = AgeOf(run, now_);
        item.files = FilesOfRun(run, &store_, rules_.outputs);
        item.hosts = HostsOf(run, &store_);
      }
      if (!user.empty()) {
        item.reason += (item.removable ? "; " : "") + ("what it made is an input of " + user) + ", which stays";
      }
    }
    if (!item.removable) NoteInputs(run, ended);
    items_.push_back(std::move(item));
  }
}

void Pruner::Remove() {
  for (PruneItem& item : items_) {
    if (!item.removable) continue;
    try {
      RemoveRun(&item);
      item.removed = true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUnavailable) throw;  // the store
      item.reason = "could not be removed: " + error.message();
    }
  }
  if (!others_at_work_) store_.DeleteUnusedPrompts();
}

// Under the run's lock nobody goes on with it meanwhile, and nobody can once its folder, which has all that it takes,
// is gone.
void Pruner::RemoveRun(PruneItem* item) {
  const std::string& run_id = item->run.run_id;
  const RunPaths paths(item->run.output_dir, run_id);
  std::optional<RunLock> lock;
  if (!item->files.folder.empty()) lock.emplace(paths.lock());
  const auto check = [&] {
    if (store_.HasRun(run_id) && IsEnd(StatusOf(store_.GetRun(run_id).status))) return;
    throw Error(ErrorCode::kConflict, "it goes on, or is gone, meanwhile");
  };
  check();
  if (!item->files.folder.empty()) RemoveAll(paths.inputs());
  for (const fs::path& path : item->files.others) {
    RemoveAll(path);
    if (!others_at_work_) RemoveEmptyParents(path, paths.output_dir());
  }
  if (!item->files.folder.empty()) RemoveAll(item->files.folder);
  store_.InTransaction([&] {
    check();
    store_.DeleteRun(run_id);
  });
}

}  // namespace cosmos
