#include "job/output_collector.h"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"
#include "media/video_check.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// What is wrong with a video that a job made, or "".
std::string ProblemOf(const JobOutput& output, const fs::path& video, const CancelToken& cancel) {
  const VideoCheck check = CheckVideo(video, cancel);
  if (!check.sound()) return "is not a valid video: " + check.problem;
  if (output.expect.empty()) return "";
  const std::string problem = ExpectationProblem(output.expect, ProbeVideo(video, cancel, check.frames), cancel);
  return problem.empty() ? "" : "is not as expected: " + problem;
}

// The beginning of a sentence about it.
std::string NameOf(const JobOutput& output) { return "the output '" + output.name + "' (" + output.path + ") "; }

}  // namespace

OutputCollector::OutputCollector(std::vector<JobOutput> outputs, const std::string& job_folder, fs::path local_folder,
                                 const std::string& below)
    : outputs_(std::move(outputs)),
      output_folder_(job_folder + "/out" + (below.empty() ? "" : "/" + below)),
      local_folder_(std::move(local_folder)) {
  for (const JobOutput& output : outputs_) {
    const fs::path path(output.path);
    if (path.empty() || std::find(path.begin(), path.end(), "..") != path.end()) {
      throw Error(ErrorCode::kInvalidInput, "the output '" + output.name + "' has the path '" + output.path + "'",
                  "write a path below the job's output folder ($COSMOS_OUTPUT_DIR), or an absolute one, without `..`");
    }
  }
  GroupsOn(true);  // throws what is wrong with their paths
}

// An absolute path is where the job found it good; on this machine the file stays there.
fs::path OutputCollector::LocalPath(const JobOutput& output, bool is_local) const {
  const fs::path path(output.path);
  if (!path.is_absolute()) return local_folder_ / path;
  return is_local ? path : local_folder_ / path.filename();
}

OutputCollector::Groups OutputCollector::GroupsOn(bool is_local) const {
  Groups groups;
  for (const JobOutput& output : outputs_) {
    if (!output.group) continue;
    std::string path = output.path;
    GroupCollection::Places places{output_folder_, output_folder_, local_folder_, Staging()};
    if (fs::path(path).is_absolute()) {
      while (path.size() > 1 && path.back() == '/') path.pop_back();
      const fs::path folder = fs::path(path).parent_path();
      path = fs::path(path).filename();
      places = {folder, "", local_folder_, Staging()};
      if (is_local) places = {folder, "", folder, ""};
    }
    try {
      groups.emplace_back(FileGroup(output.group->kind, path, output.group->frames, output.group->gaps), places);
    } catch (const Error& error) {
      throw Error(error.code(), "the output '" + output.name + "': " + error.message(), error.hint());
    }
  }
  return groups;
}

void OutputCollector::RemoveOld() const {
  std::error_code error;
  for (const JobOutput& output : outputs_) {
    if (!output.group && !fs::path(output.path).is_absolute()) fs::remove(LocalPath(output, true), error);
  }
  for (const GroupCollection& group : GroupsOn(true)) group.RemoveOld();
  fs::remove_all(Staging(), error);
}

Collection OutputCollector::Look(Target* target, Groups* groups) const {
  Collection collection;
  auto group = groups->begin();
  for (const JobOutput& output : outputs_) {
    if (!output.group) continue;
    collection.failure = (group++)->Look(target, &collection.unreadable);
    if (!collection.failure) continue;
    collection.failure.message = NameOf(output) + collection.failure.message;
    break;
  }
  return collection;
}

Collection OutputCollector::Fetch(Target* target, const CancelToken& cancel, const Target::TransferListener& listener,
                                  Groups* groups) const {
  Collection collection = Look(target, groups);
  if (collection.failure) return collection;
  std::vector<FileTransfer> files;
  std::vector<const JobOutput*> outputs;
  std::set<std::string> known;  // outputs may share files
  const auto add = [&](FileTransfer file, const JobOutput& output) {
    if (!known.insert(file.remote).second) return;
    files.push_back(std::move(file));
    outputs.push_back(&output);
  };
  for (const JobOutput& output : outputs_) {
    const bool absolute = fs::path(output.path).is_absolute();
    if (output.group || (absolute && target->IsLocal())) continue;
    add({LocalPath(output, target->IsLocal()), absolute ? output.path : output_folder_ + "/" + output.path, "",
         absolute ? "" : output_folder_},
        output);
  }
  auto group = groups->begin();
  for (const JobOutput& output : outputs_) {
    if (!output.group) continue;
    for (FileTransfer& file : (group++)->Transfers()) add(std::move(file), output);
  }
  collection.transfers = files.size();
  const std::vector<Downloaded> results =
      files.empty() ? std::vector<Downloaded>() : target->Download(files, cancel, listener);
  // Of a cancelled transfer the host still has all.
  for (const GroupCollection& each : *groups) {
    if (!cancel.cancelled() || target->IsLocal()) each.Publish();
  }
  std::error_code error;
  fs::remove_all(Staging(), error);
  if (cancel.cancelled()) {
    collection.failure = {FailureKind::kCancelled, "cancelled"};
    return collection;
  }
  for (std::size_t i = 0; i < results.size() && !collection.failure; ++i) {
    const std::string name = NameOf(*outputs[i]);
    collection.unreadable = results[i] == Downloaded::kUnreadable;
    if (collection.unreadable) {
      collection.failure = {FailureKind::kOutputInvalid,
                            name + "cannot be read by the target's account: permission denied on " + files[i].remote +
                                "; let the job make its files readable"};
    } else if (results[i] == Downloaded::kOutside) {
      collection.failure = {
          FailureKind::kOutputInvalid,
          name +
              (outputs[i]->group ? "has a link (" + fs::path(files[i].remote).filename().string() + ") that leads "
                                 : "is a link that leads ") +
              "out of the job's output folder, which is not followed; let the job copy the file "
              "there"};
    }
  }
  return collection;
}

void OutputCollector::CheckFile(const JobOutput& output, bool is_local, const CancelToken& cancel,
                                Collection* collection) const {
  const fs::path local = LocalPath(output, is_local);
  std::error_code error;
  if (!fs::is_regular_file(local, error)) {
    if (output.optional) return;
    const bool is_folder = is_local && fs::is_directory(output_folder_ + "/" + output.path, error);
    collection->failure = {FailureKind::kOutputMissing,
                           "the job ended with status 0 but did not make its output '" + output.name + "' (" +
                               output.path + "); it belongs below $COSMOS_OUTPUT_DIR" +
                               (is_folder ? ". A folder is there; name one with a '/' at its end" : "")};
    return;
  }
  if (const std::string problem = output.video ? ProblemOf(output, local, cancel) : ""; !problem.empty()) {
    collection->failure = {FailureKind::kOutputInvalid,
                           "the output '" + output.name + "' (" + local.string() + ") " + problem};
    return;
  }
  collection->outputs.push_back(
      {output.name, local, static_cast<std::int64_t>(fs::file_size(local)), Sha256OfFile(local)});
}

void OutputCollector::CheckGroup(const JobOutput& output, const GroupCollection& group, Collection* collection) const {
  const FileGroup::Sizes files = group.Files();
  if (files.empty() && output.optional) return;
  if (Failure problem = group.ProblemOf(files)) {
    if (!files.empty())
      problem.message += "; " + Counted(static_cast<std::int64_t>(files.size()), "file") + " of it " +
                         (files.size() == 1 ? "is" : "are") + " in " + group.Folder().string();
    collection->failure = {problem.kind, "the job ended with status 0, but its output '" + output.name + "' (" +
                                             output.path + ") " + problem.message};
    return;
  }
  CollectedOutput collected;
  collected.name = output.name;
  collected.path = group.Path();
  std::map<std::string, std::string> sums;
  for (const auto& [name, size] : files) {
    collected.size += size;
    sums[name] = Sha256OfFile(group.Folder() / name);
  }
  collected.files = static_cast<std::int64_t>(files.size());
  collected.sha256 = Sha256OfSums(sums);
  collection->outputs.push_back(std::move(collected));
}

Collection OutputCollector::Collect(
    Target* target, const CancelToken& cancel,
    const std::function<void(double done, double total, std::string_view phase)>& on_progress) const {
  Groups groups = GroupsOn(target->IsLocal());
  Collection collection = Fetch(
      target, cancel,
      [&](std::int64_t done, std::int64_t total) {
        if (on_progress) on_progress(static_cast<double>(done), static_cast<double>(total), "downloading");
      },
      &groups);
  auto group = groups.cbegin();
  for (const JobOutput& output : outputs_) {
    if (collection.failure) return collection;
    if (output.group) {
      CheckGroup(output, *group++, &collection);
    } else {
      CheckFile(output, target->IsLocal(), cancel, &collection);
    }
  }
  return collection;
}

}  // namespace cosmos
