#include "run/input_files.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;

InputFiles InputFilesOf(const fs::path& path) {
  InputFiles input;
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  input.name = plain.filename();
  if (!fs::is_directory(path)) {
    input.digest = Sha256OfFile(path);
    input.files.push_back({path, "", input.digest});
    return input;
  }
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file()) {
      input.files.push_back({entry->path(), entry->path().lexically_relative(path).string(), ""});
    }
  }
  if (error) throw IoError("read the folder", path, error.value());
  std::sort(input.files.begin(), input.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::string list;
  for (InputFiles::File& file : input.files) {
    file.sha256 = Sha256OfFile(file.path);
    list += file.sha256 + " " + file.below + "\n";
  }
  input.digest = Sha256(list);
  return input;
}

}  // namespace cosmos
