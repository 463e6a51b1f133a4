#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "job/file_group.h"
#include "job/group_collection.h"
#include "job/video_expectation.h"
#include "target/target.h"

namespace cosmos {

// What a job shall have made of several files; see FileGroup.
struct OutputGroup {
  FileGroup::Kind kind = FileGroup::Kind::kFolder;
  FrameSet frames = {};
  bool gaps = false;
};

// A file that a job shall have made, or a group of them.
struct JobOutput {
  std::string name;
  std::string path;  // below the job's output folder, or absolute on the target
  bool video = false;
  bool optional = false;
  VideoExpectation expect = {};  // of a video
  std::optional<OutputGroup> group = std::nullopt;
};

struct CollectedOutput {
  std::string name;
  std::filesystem::path path;  // absolute, local; of a group its folder or its pattern
  std::int64_t size = 0;       // of all its files
  std::string sha256;          // of a group as Sha256OfSums has it
  std::int64_t files = 0;      // of a group; 0: it is one file by itself
};

struct Collection {
  Failure failure;            // output_missing or output_invalid, when something is wrong; cancelled
  bool unreadable = false;    // that is because the target's account may not read an output
  std::size_t transfers = 0;  // files that were to come from the target
  std::vector<CollectedOutput> outputs;
};

// Brings the outputs of a job that ended well into the run's local folder, all files in one transfer, and checks them:
// they exist, a video decodes from its first frame to its last (media/video_check.h), and of a group nothing is missing
// (FileGroup). May be called again after a crash half-way.
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
  using Groups = std::vector<GroupCollection>;

  Groups GroupsOn(bool is_local) const;
  // Asks the target for the files of the groups. What forbids to take them, or nothing.
  Collection Look(Target* target, Groups* groups) const;
  // What is wrong with what came, or nothing.
  Collection Fetch(Target* target, const CancelToken& cancel, const Target::TransferListener& listener,
                   Groups* groups) const;
  // Adds the output to the collection, or notes what is wrong with it.
  void CheckFile(const JobOutput& output, bool is_local, const CancelToken& cancel, Collection* collection) const;
  void CheckGroup(const JobOutput& output, const GroupCollection& group, Collection* collection) const;
  std::filesystem::path Staging() const { return local_folder_ / ".incoming"; }

  const std::vector<JobOutput> outputs_;
  const std::string output_folder_;  // on the target
  const std::filesystem::path local_folder_;
};

}  // namespace cosmos
