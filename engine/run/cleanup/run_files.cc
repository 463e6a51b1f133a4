#include "run/cleanup/run_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "core/ids.h"
#include "run/run_paths.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLogs = "logs";  // which no run has for itself, even if it is called so

bool IsThere(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() > fs::file_type::not_found;
}

std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
  return entries;
}

bool BeginsWith(const std::string& text, const std::string& beginning) { return text.rfind(beginning, 0) == 0; }

// The files of one run, as they are found.
class Finder {
 public:
  Finder(const RunRecord& run, const std::vector<StageRecord>& stages)
      : run_(run), names_(NamesOfRun(run, stages)), root_(Canonical(run.output_dir)) {}

  // Unless it is not there, or links lead out of the output folder.
  void Add(const fs::path& path) {
    if (IsThere(path) && IsBelow(Canonical(path.parent_path()) / path.filename(), root_)) found_.insert(path);
  }

  // A log, what stands beside it under its name, the link that names the newest one and, for `outputs`, the folder of
  // what its stage made.
  void AddLog(const fs::path& log, bool outputs) {
    const std::string name = log.filename();
    const bool own = BeginsWith(name, "run_" + run_.run_id + ".") ||
                     std::any_of(names_.begin(), names_.end(), [&](const std::string& id) {
                       return id != run_.run_id && name.find(id) != name.npos;
                     });
    if (!own || log.parent_path().filename() != kLogs) return;
    Add(log);
    for (const fs::path& beside : EntriesOf(log.parent_path())) {
      if (BeginsWith(beside.filename(), name + ".")) Add(beside);
    }
    const fs::path folder = log.parent_path().parent_path();
    std::error_code error;
    const fs::path to = fs::read_symlink(folder / "run.log", error);
    if (!to.empty() && (folder / to).lexically_normal() == log.lexically_normal()) Add(folder / "run.log");
    for (const std::string& id : names_) {
      if (outputs && id != kLogs) Add(folder / id);
    }
  }

  // The run's own folder that the file is in: the innermost of that name, as all runs share those at the top.
  void AddOwnFolder(const fs::path& file) {
    const fs::path output_dir = fs::path(run_.output_dir).lexically_normal();
    const fs::path top = RunPaths(run_.output_dir, run_.run_id).folder().parent_path();
    for (fs::path folder = file.lexically_normal().parent_path();
         IsBelow(folder, output_dir) && folder.parent_path() != output_dir && folder.parent_path() != top;
         folder = folder.parent_path()) {
      if (folder.filename() != kLogs && names_.contains(folder.filename())) return Add(folder);
    }
  }

  const std::set<fs::path>& found() const { return found_; }

 private:
  static fs::path Canonical(const fs::path& path) {
    std::error_code error;
    return fs::canonical(path, error);
  }
  static bool IsBelow(const fs::path& path, const fs::path& folder) {
    const fs::path below = path.lexically_relative(folder);
    return !folder.empty() && !below.empty() && below != "." && *below.begin() != "..";
  }

  const RunRecord& run_;
  const std::set<std::string> names_;
  const fs::path root_;
  std::set<fs::path> found_;
};

// Bytes that go when all of these do: a file that has other names elsewhere stays.
class Sizes {
 public:
  void Add(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) {
      File& file = files_[{info.st_dev, info.st_ino}];
      file.size = info.st_size;
      file.names_left = (file.names_left == 0 ? static_cast<std::int64_t>(info.st_nlink) : file.names_left) - 1;
      return;
    }
    for (const fs::path& entry : EntriesOf(path)) Add(entry);
  }
  std::int64_t Sum() const {
    std::int64_t sum = 0;
    for (const auto& [id, file] : files_) sum += file.names_left == 0 ? file.size : 0;
    return sum;
  }

 private:
  struct File {
    std::int64_t size = 0;
    std::int64_t names_left = 0;
  };
  std::map<std::pair<dev_t, ino_t>, File> files_;
};

}  // namespace

std::set<std::string> NamesOfRun(const RunRecord& run, const std::vector<StageRecord>& stages) {
  std::set<std::string> names = {run.run_id};
  for (const StageRecord& stage : stages) names.insert(stage.operation_id);
  names.erase("");
  return names;
}

RunFiles FilesOfRun(const RunRecord& run, RunStore* store, bool outputs) {
  const std::vector<StageRecord> stages = store->StagesOf(run.run_id);
  Finder finder(run, stages);
  const RunPaths paths(run.output_dir, run.run_id);
  std::set<std::string> prompts = {run.prompt_id};
  std::set<std::string> logs = {run.log_path};
  for (const StageRecord& stage : stages) {
    prompts.insert(stage.prompt_id);
    logs.insert(stage.log_path);
  }
  logs.erase("");
  for (const std::string& log : logs) finder.AddLog(log, outputs);
  for (const std::string& prompt_id : prompts) {
    if (IsSafeName(prompt_id)) finder.Add(paths.Diagnostics(prompt_id));
  }
  if (outputs) {
    for (const ArtifactRecord& artifact : store->ArtifactsOf(run.run_id)) finder.AddOwnFolder(artifact.path);
  }
  RunFiles files;
  files.others.assign(finder.found().begin(), finder.found().end());
  Sizes sizes;
  for (const fs::path& path : files.others) sizes.Add(path);
  Finder own(run, {});
  own.Add(paths.folder());
  if (!own.found().empty()) files.folder = paths.folder();
  if (!files.folder.empty()) sizes.Add(files.folder);
  files.size = sizes.Sum();
  return files;
}

}  // namespace cosmos
