#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "job/video_expectation.h"
#include "target/target.h"

namespace cosmos {

// A file that a job shall have made.
struct JobOutput {
  std::string name;
  std::string path;  // below the job's output folder, or absolute on the target
  bool video = false;
  bool optional = false;
  VideoExpectation expect = {};  // of a video
};

struct CollectedOutput {
  std::string name;
  std::filesystem::path path;  // absolute, local
  std::int64_t size = 0;
  std::string sha256;
};

struct Collection {
  Failure failure;          // output_missing or output_invalid, when something is wrong; cancelled
  bool unreadable = false;  // that is because the target's account may not read an output
  std::vector<CollectedOutput> outputs;
};

// Brings the outputs of a job that ended well into the run's local folder and checks them: they exist, and a video
// decodes from its first frame to its last (media/video_check.h). May be called again after a crash half-way.
class OutputCollector {
 public:
  // `below` is a folder in the job's output folder, to which relative paths belong; empty: that folder itself. Throws
  // Error{kInvalidInput} for a path that leaves the output folder by `..`.
  OutputCollector(std::vector<JobOutput> outputs, const std::string& job_folder, std::filesystem::path local_folder,
                  const std::string& below = "");

  // Removes local files that a failed earlier attempt may have left, before a new attempt starts.
  void RemoveOld() const;
  // `on_progress` as in JobRequest; may be empty.
  Collection Collect(
      Target* target, const CancelToken& cancel,
      const std::function<void(double done, double total, std::string_view phase)>& on_progress = nullptr) const;

 private:
  std::filesystem::path LocalPath(const JobOutput& output, bool is_local) const;
  // What is wrong with what came, or nothing.
  Collection Fetch(Target* target, const CancelToken& cancel, const Target::TransferListener& listener) const;

  const std::vector<JobOutput> outputs_;
  const std::string output_folder_;  // on the target
  const std::filesystem::path local_folder_;
};

}  // namespace cosmos
