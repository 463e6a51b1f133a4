#include "job/output_collector.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/sha256.h"
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
}

// An absolute path is where the job found it good; on this machine the file stays there.
fs::path OutputCollector::LocalPath(const JobOutput& output, bool is_local) const {
  const fs::path path(output.path);
  if (!path.is_absolute()) return local_folder_ / path;
  return is_local ? path : local_folder_ / path.filename();
}

void OutputCollector::RemoveOld() const {
  for (const JobOutput& output : outputs_) {
    std::error_code error;
    if (!fs::path(output.path).is_absolute()) fs::remove(LocalPath(output, true), error);
  }
}

Collection OutputCollector::Fetch(Target* target, const CancelToken& cancel,
                                  const Target::TransferListener& listener) const {
  std::vector<FileTransfer> files;
  std::vector<const JobOutput*> outputs;
  for (const JobOutput& output : outputs_) {
    const bool absolute = fs::path(output.path).is_absolute();
    if (absolute && target->IsLocal()) continue;
    files.push_back({LocalPath(output, target->IsLocal()), absolute ? output.path : output_folder_ + "/" + output.path,
                     "", absolute ? "" : output_folder_});
    outputs.push_back(&output);
  }
  Collection collection;
  const std::vector<Downloaded> results =
      files.empty() ? std::vector<Downloaded>() : target->Download(files, cancel, listener);
  if (cancel.cancelled()) {
    collection.failure = {FailureKind::kCancelled, "cancelled"};
    return collection;
  }
  for (std::size_t i = 0; i < results.size() && !collection.failure; ++i) {
    const std::string name = "the output '" + outputs[i]->name + "' (" + outputs[i]->path + ") ";
    collection.unreadable = results[i] == Downloaded::kUnreadable;
    if (collection.unreadable) {
      collection.failure = {FailureKind::kOutputInvalid,
                            name + "cannot be read by the target's account: permission denied on " + files[i].remote +
                                "; let the job make its files readable"};
    } else if (results[i] == Downloaded::kOutside) {
      collection.failure = {FailureKind::kOutputInvalid,
                            name +
                                "is a link that leads out of the job's output folder, which is not followed; let "
                                "the job copy the file there"};
    }
  }
  return collection;
}

Collection OutputCollector::Collect(
    Target* target, const CancelToken& cancel,
    const std::function<void(double done, double total, std::string_view phase)>& on_progress) const {
  Collection collection = Fetch(target, cancel, [&](std::int64_t done, std::int64_t total) {
    if (on_progress) on_progress(static_cast<double>(done), static_cast<double>(total), "downloading");
  });
  if (collection.failure) return collection;
  for (const JobOutput& output : outputs_) {
    const fs::path local = LocalPath(output, target->IsLocal());
    std::error_code error;
    if (!fs::is_regular_file(local, error)) {
      if (output.optional) continue;
      collection.failure = {FailureKind::kOutputMissing, "the job ended with status 0 but did not make its output '" +
                                                             output.name + "' (" + output.path +
                                                             "); it belongs below $COSMOS_OUTPUT_DIR"};
      return collection;
    }
    if (const std::string problem = output.video ? ProblemOf(output, local, cancel) : ""; !problem.empty()) {
      collection.failure = {FailureKind::kOutputInvalid,
                            "the output '" + output.name + "' (" + local.string() + ") " + problem};
      return collection;
    }
    collection.outputs.push_back(
        {output.name, local, static_cast<std::int64_t>(fs::file_size(local)), Sha256OfFile(local)});
  }
  return collection;
}

}  // namespace cosmos
