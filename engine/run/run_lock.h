#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "core/fd.h"

namespace cosmos {

// The lock that an engine holds on a run while it lives. The kernel frees it when the process ends, however it ends, so
// a run without a holder is one whose engine is gone. Not to be taken twice by one process.
class RunLock {
 public:
  // Takes the lock. Throws Error{kConflict} that names the process that has it, Error{kIo} when the file cannot be
  // made.
  explicit RunLock(const std::filesystem::path& path);

  // The process that holds the lock, if any. As fcntl(2) tells it: no pid that was written down and grew old.
  // REQUIRES: this process does not hold the lock itself (it would lose it).
  static std::optional<pid_t> Holder(const std::filesystem::path& path);

 private:
  Fd file_;
};

}  // namespace cosmos
