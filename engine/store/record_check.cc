#include "store/record_check.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/ids.h"

namespace cosmos {
namespace store {
namespace {

constexpr std::size_t kMostOfValue = 80;  // in a message

[[noreturn]] void Refuse(const std::string& what, const std::string& run_id, const std::string& found,
                         const std::string& expected) {
  throw Error(
      ErrorCode::kUnavailable,
      "found '" + found.substr(0, kMostOfValue) + "' as the " + what + " of " +
          (IsSafeName(run_id) ? "run " + run_id : "a run") + ", expected " + expected,
      "somebody edited the database or the run's files: restore a backup, or move the database away and restore "
      "the runs from their folders with `cosmos-engine db rebuild OUTPUT_DIR`");
}

void CheckSafe(const std::string& what, const std::string& run_id, const std::string& name) {
  if (!name.empty() && !IsSafeName(name)) Refuse(what, run_id, name, "a name of the characters A-Z a-z 0-9 . _ -");
}

// Whether a part of the path leads up, or it holds what no path has.
bool Strays(std::string_view path) {
  if (path.find('\0') != path.npos) return true;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (path.substr(0, slash) == "..") return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

template <typename Record>
void CheckAttempt(const Record& record) {
  if (!IsSafeName(record.run_id)) Refuse("run_id", "", record.run_id, "a name");
  CheckSafe("stage", record.run_id, record.stage);
  CheckSafe("instance", record.run_id, record.instance);
}

}  // namespace

void CheckRecord(const PromptRecord& record) {
  CheckSafe("prompt_id", "", record.prompt_id);
  CheckSafe("parent_id", "", record.parent_id);
}

void CheckRecord(const RunRecord& record) {
  if (!IsSafeName(record.run_id)) Refuse("run_id", "", record.run_id, "a name of the characters A-Z a-z 0-9 . _ -");
  CheckSafe("prompt_id", record.run_id, record.prompt_id);
  CheckSafe("prompt_name", record.run_id, record.prompt_name);
  if (record.output_dir.rfind('/', 0) != 0 || Strays(record.output_dir)) {
    Refuse("output_dir", record.run_id, record.output_dir, "an absolute path without `..`");
  }
  if (Strays(record.log_path)) Refuse("log_path", record.run_id, record.log_path, "a path without `..`");
}

void CheckRecord(const StageRecord& record) {
  CheckAttempt(record);
  CheckSafe("target", record.run_id, record.target);
  CheckSafe("prompt_id", record.run_id, record.prompt_id);
  CheckSafe("prompt_name", record.run_id, record.prompt_name);
  CheckSafe("operation_id", record.run_id, record.operation_id);
  if (Strays(record.log_path)) Refuse("log_path", record.run_id, record.log_path, "a path without `..`");
}

void CheckRecord(const JobRecord& record) {
  CheckAttempt(record);
  CheckSafe("target", record.run_id, record.target);
  CheckSafe("boot_id", record.run_id, record.boot_id);
  // …/jobs/…/STAGE/ATTEMPT
  const std::string& folder = record.folder;
  const bool deep = std::count(folder.begin(), folder.end(), '/') >= 3 && folder.find("/jobs/") != folder.npos;
  if (folder.rfind('/', 0) != 0 || Strays(folder) || !deep) {
    Refuse("folder of a job", record.run_id, folder, "an absolute path below a folder `jobs`, without `..`");
  }
}

void CheckRecord(const ContainerRecord& record) {
  CheckAttempt(record);
  CheckSafe("target", record.run_id, record.target);
  CheckSafe("container_id", record.run_id, record.container_id);
  if (record.engine != "docker" && record.engine != "podman") {
    Refuse("container engine", record.run_id, record.engine, "docker or podman");
  }
  const bool words = std::all_of(record.name.begin(), record.name.end(),
                                 [](char c) { return IsSafeName(std::string_view(&c, 1)) || c == '.'; });
  if (record.name.rfind("cosmos_", 0) != 0 || !words) {
    Refuse("name of a container", record.run_id, record.name, "a name that begins with cosmos_");
  }
  if (record.image.rfind('-', 0) == 0) Refuse("image", record.run_id, record.image, "the name of an image");
}

void CheckRecord(const ArtifactRecord& record) { CheckAttempt(record); }

void CheckRecord(const GpuClaimRecord& record) {
  CheckAttempt(record);
  CheckSafe("target", record.run_id, record.target);
}

}  // namespace store
}  // namespace cosmos
