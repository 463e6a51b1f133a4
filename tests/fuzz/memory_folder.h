#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/files.h"

namespace cosmos::testing {

// A folder in memory where there is one, removed with the object.
class MemoryFolder {
 public:
  MemoryFolder() {
    std::string name = std::filesystem::exists("/dev/shm") ? "/dev/shm/cosmos-fuzz-XXXXXX" : "/tmp/cosmos-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Error(ErrorCode::kIo, "cannot make a folder like " + name);
    path_ = name;
  }
  ~MemoryFolder() { std::filesystem::remove_all(path_); }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;

  std::filesystem::path Put(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    WriteFile(path_ / name, content);
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace cosmos::testing
