#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/frame_set.h"
#include "job/file_group.h"

namespace cosmos {

// An input of a job, as it is brought to another machine: a file, a folder, or the files of a pattern. A value.
struct InputFiles {
  std::string digest;  // of the whole content; hex digits
  std::string name;    // of the file or folder, or the pattern as it is spelled
  struct File {
    std::filesystem::path path;
    std::string below;  // its path below the folder, or beside the pattern; empty for an input that is a file itself
    std::string sha256;
  };
  std::vector<File> files;
  bool pattern = false;
};

// Reads all of it. Throws Error{kIo}; kInvalidInput when there is no file.
InputFiles InputFilesOf(const std::filesystem::path& path);

// The last part of a path, also of one with a '/' at its end.
std::string NameOfInput(const std::filesystem::path& path);

// Throws Error{kInvalidInput} when there is no such file, no file of that pattern, and, where the path stands for
// several files, when they are not what FileGroup asks of them.
void CheckInput(const std::filesystem::path& path, const FrameSet& frames, bool gaps);
// The same as far as Task::Input demands it: there is something.
void DemandInput(const std::filesystem::path& path);

}  // namespace cosmos
