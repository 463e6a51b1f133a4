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
    input.files.emplace_back(path, "");
    return input;
  }
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file()) {
      input.files.emplace_back(entry->path(), entry->path().lexically_relative(path).string());
    }
  }
  if (error) throw IoError("read the folder", path, error.value());
  std::sort(input.files.begin(), input.files.end());
  std::string list;
  for (const auto& [file, below] : input.files) list += Sha256OfFile(file) + " " + below + "\n";
  input.digest = Sha256(list);
  return input;
}

}  // namespace cosmos
