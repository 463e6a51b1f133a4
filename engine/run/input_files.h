#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cosmos {

// An input of a job, a file or a folder, as it is brought to another machine. A value.
struct InputFiles {
  std::string digest;  // of the whole content; hex digits
  std::string name;
  struct File {
    std::filesystem::path path;
    std::string below;  // its path below the folder; empty for an input that is a file itself
    std::string sha256;
  };
  std::vector<File> files;
};

// Reads all of it. Throws Error{kIo}.
InputFiles InputFilesOf(const std::filesystem::path& path);

}  // namespace cosmos
