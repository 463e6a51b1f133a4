#include "media/shot_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "core/error.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

}  // namespace

std::vector<ListedFile> ListFiles(const fs::path& folder, const fs::path& left_out) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kNotFound, "there is no folder '" + folder.string() + "'",
                "expected the folder with the frames of a shot");
  }
  const fs::path skipped = fs::weakly_canonical(left_out, error);
  std::vector<ListedFile> files;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      const bool hidden = path.filename().string().front() == '.';
      if (hidden || fs::weakly_canonical(path, ignored) == skipped) entry.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    files.push_back({path.lexically_relative(folder).generic_string(), status.st_size,
                     status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec});
  }
  if (error) throw IoError("read the folder", folder, error.value());
  std::sort(files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace cosmos
