#include "run/new_folder.h"

#include <sys/stat.h>

#include <system_error>

#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;

void NewFolder::Make(const fs::path& path) {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path parent = path.parent_path(); !parent.empty() && !fs::exists(parent, error);
       parent = parent.parent_path()) {
    missing.push_back(parent);
  }
  MakeFolders(path.parent_path());
  parents_.assign(missing.rbegin(), missing.rend());
  // Only who made it may remove it with all that is in it: another engine may be as far with the same run_id.
  if (::mkdir(path.c_str(), 0700) == 0) {
    folder_ = path;
  } else {
    MakeFolders(path);
  }
}

void NewFolder::Keep() {
  folder_.clear();
  parents_.clear();
}

void NewFolder::Discard() noexcept {
  std::error_code error;
  if (!folder_.empty()) fs::remove_all(folder_, error);
  for (auto parent = parents_.rbegin(); parent != parents_.rend(); ++parent) fs::remove(*parent, error);
}

}  // namespace cosmos
