#include "run/rebuild/rebuild.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "run/rebuild/run_from_files.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "store/record_check.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRuns = ".runs";

// Whether it can be the folder of a run; without files an engine has not begun it, or it has been removed.
bool IsRunFolder(const fs::directory_entry& entry) {
  std::error_code error;
  const RunPaths paths(entry.path().parent_path().parent_path(), entry.path().filename());
  return entry.is_directory(error) && !entry.is_symlink(error) &&
         (fs::exists(paths.inputs(), error) || fs::exists(paths.journal(), error));
}

void AddRunFolders(const fs::path& output_dir, std::set<fs::path>* folders) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(output_dir / kRuns, error)) {
    if (IsRunFolder(entry)) folders->insert(entry.path());
  }
}

fs::path OutputDirOf(const fs::path& given) {
  fs::path path = fs::absolute(given).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  return path.filename() == kRuns ? path.parent_path() : path;
}

void Put(const RunFromFiles& files, RunStore* store) {
  store->PutRun(files.run);
  for (const PromptRecord& prompt : files.prompts) store->PutPrompt(prompt);
  for (StageRecord stage : files.stages) store->PutStage(&stage);
  for (JobRecord job : files.jobs) store->PutJob(&job);
  for (ContainerRecord container : files.containers) store->PutContainer(&container);
  for (ArtifactRecord artifact : files.artifacts) store->PutArtifact(&artifact);
  for (GpuUsageRecord usage : files.gpu_usages) store->PutGpuUsage(&usage);
}

// What the store would refuse, so that one run's files do not keep the others out.
void Check(const RunFromFiles& files) {
  store::CheckRecord(files.run);
  const auto check = [](const auto& records) {
    for (const auto& record : records) store::CheckRecord(record);
  };
  check(files.prompts);
  check(files.stages);
  check(files.jobs);
  check(files.containers);
  check(files.artifacts);
}

}  // namespace

std::vector<fs::path> RunFoldersBelow(const std::vector<fs::path>& output_dirs) {
  std::set<fs::path> folders;
  for (const fs::path& given : output_dirs) {
    const std::size_t before = folders.size();
    AddRunFolders(OutputDirOf(given), &folders);
    if (folders.size() > before) continue;
    throw Error(ErrorCode::kNotFound, "there are no runs below '" + OutputDirOf(given).string() + "'",
                "name the folder that was the --output-dir of the runs; it has a folder .runs");
  }
  return {folders.begin(), folders.end()};
}

RebuildReport Rebuild(const std::vector<fs::path>& folders, RunStore* store) {
  RebuildReport report;
  std::vector<RunFromFiles> runs;
  for (const fs::path& folder : folders) {
    try {
      RunFromFiles files = ReadRunFolder(folder);
      Check(files);
      if (IsActive(files.run)) {
        report.left_out.push_back({folder, "an engine carries it out now"});
      } else {
        runs.push_back(std::move(files));
      }
    } catch (const Error& error) {
      report.left_out.push_back({folder, error.message()});
    }
  }
  std::stable_sort(runs.begin(), runs.end(),
                   [](const RunFromFiles& a, const RunFromFiles& b) { return a.run.started_at < b.run.started_at; });
  store->InTransaction([&] {
    for (const RunFromFiles& files : runs) Put(files, store);
  });
  for (const RunFromFiles& files : runs) report.restored.push_back(files.run.run_id);
  return report;
}

StoreCheck CheckStore(const fs::path& path, const std::vector<fs::path>& output_dirs) {
  StoreCheck check;
  check.damage = RunStore::FindDamage(path);
  if (!check.damage.empty()) return check;
  const std::unique_ptr<RunStore> store = RunStore::Open(path);
  std::set<fs::path> known, places;
  for (const fs::path& given : output_dirs) places.insert(OutputDirOf(given));
  for (const RunRecord& run : AllRuns(store.get())) {
    ++check.runs;
    const RunPaths paths(run.output_dir, run.run_id);
    places.insert(paths.output_dir());
    known.insert(paths.folder());
    std::error_code error;
    if (!fs::is_directory(paths.folder(), error)) check.without_files.push_back(run);
  }
  std::set<fs::path> folders;
  for (const fs::path& place : places) AddRunFolders(place, &folders);
  std::set_difference(folders.begin(), folders.end(), known.begin(), known.end(),
                      std::back_inserter(check.without_records));
  return check;
}

}  // namespace cosmos
