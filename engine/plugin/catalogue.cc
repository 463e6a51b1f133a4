#include "plugin/catalogue.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

std::string IdOfFile(const fs::path& path) {
  std::string id = path.stem();
  std::replace(id.begin(), id.end(), '_', '-');
  return id;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void AddFolders(const std::string& list, std::vector<fs::path>* folders) {
  for (std::size_t start = 0; start < list.size();) {
    const std::size_t end = std::min(list.find(':', start), list.size());
    if (end > start) folders->push_back(fs::absolute(list.substr(start, end - start)));
    start = end + 1;
  }
}

}  // namespace

std::vector<fs::path> Catalogue::SearchPath(const std::string& plugin_path_option) {
  std::vector<fs::path> folders;
  AddFolders(plugin_path_option, &folders);
  AddFolders(Environment("COSMOS_PLUGIN_PATH"), &folders);
  if (const std::string home = Environment("HOME"); !home.empty()) {
    folders.push_back(fs::path(home) / ".local/lib/cosmos-engine/plugins/1");
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  folders.push_back(program.parent_path().parent_path() / "lib/cosmos-engine/plugins/1");
  std::erase_if(folders, [](const fs::path& folder) {
    std::error_code ignored;
    return !fs::is_directory(folder, ignored);
  });
  return folders;
}

Catalogue::Catalogue(std::vector<fs::path> folders) {
  for (const fs::path& folder : folders) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const std::string id = IdOfFile(file);
      if (const Candidate* winner = FindLocked(id)) {
        shadowed_.push_back({file, id,
                             "hidden by " + winner->path.string() + ", which stands earlier in the search path",
                             "remove one of them", true});
        continue;
      }
      Candidate candidate;
      candidate.id = id;
      candidate.path = file;
      candidates_.push_back(std::move(candidate));
    }
  }
}

Catalogue::Candidate* Catalogue::FindLocked(const std::string& id) const {
  const auto found =
      std::find_if(candidates_.begin(), candidates_.end(), [&](const Candidate& c) { return c.id == id; });
  return found == candidates_.end() ? nullptr : &*found;
}

PluginLibrary* Catalogue::LoadLocked(Candidate* candidate) const {
  if (!std::exchange(candidate->tried, true)) {
    try {
      auto library = std::make_unique<PluginLibrary>(candidate->path);
      if (library->facts().id != candidate->id) {
        throw Error(ErrorCode::kPlugin,
                    "the plugin '" + candidate->path.string() + "' has the id '" + library->facts().id + "'",
                    "call its file " + library->facts().id + ".so");
      }
      candidate->library = std::move(library);
    } catch (const Error& error) {
      candidate->problem = error.message();
      candidate->hint = error.hint();
    }
  }
  return candidate->library.get();
}

const PluginFacts* Catalogue::Find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  Candidate* candidate = FindLocked(id);
  PluginLibrary* library = candidate == nullptr ? nullptr : LoadLocked(candidate);
  return library == nullptr ? nullptr : &library->facts();
}

std::string Catalogue::Problem(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const Candidate* candidate = FindLocked(id);
  if (candidate == nullptr || candidate->problem.empty()) return "";
  return candidate->problem + (candidate->hint.empty() ? "" : "; " + candidate->hint);
}

PluginLibrary& Catalogue::Get(const std::string& id) const {
  if (Find(id) == nullptr) {
    const std::string problem = Problem(id);
    throw Error(ErrorCode::kPlugin, problem.empty() ? "there is no plugin '" + id + "'" : problem,
                problem.empty() ? Suggestion(id, Ids(PluginFacts::Kind::kStage)) : "");
  }
  const std::lock_guard lock(mutex_);
  return *FindLocked(id)->library;
}

std::vector<const PluginLibrary*> Catalogue::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<const PluginLibrary*> all;
  for (Candidate& candidate : candidates_) {
    if (const PluginLibrary* library = LoadLocked(&candidate)) all.push_back(library);
  }
  return all;
}

std::vector<std::string> Catalogue::Ids(PluginFacts::Kind kind) const {
  std::vector<std::string> ids;
  for (const PluginLibrary* library : All()) {
    if (library->facts().kind == kind) ids.push_back(library->facts().id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<Catalogue::Complaint> Catalogue::Complaints() const {
  std::vector<Complaint> complaints = shadowed_;
  const std::lock_guard lock(mutex_);
  for (const Candidate& candidate : candidates_) {
    if (candidate.problem.empty()) continue;
    complaints.push_back({candidate.path, candidate.id, candidate.problem, candidate.hint, false});
  }
  return complaints;
}

}  // namespace cosmos
