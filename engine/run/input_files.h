#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace cosmos {

// An input of a job, a file or a folder, as it is brought to another machine. A value.
struct InputFiles {
  std::string digest;  // of the whole content; hex digits
  std::string name;
  // Each file, and its path below the folder; empty for an input that is a file itself.
  std::vector<std::pair<std::filesystem::path, std::string>> files;
};

// Reads all of it. Throws Error{kIo}.
InputFiles InputFilesOf(const std::filesystem::path& path);

}  // namespace cosmos
