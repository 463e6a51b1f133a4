#pragma once

#include <sqlite3.h>
#include <sys/types.h>

#include <string>

namespace cosmos {
namespace store {

// Notices when an open database is no longer the file at its path, or no longer a database. SQLite does not: it goes on
// with a file that was removed or replaced, and sees a damaged one as its cache remembers it. Not thread-safe.
class FileGuard {
 public:
  explicit FileGuard(std::string path) : path_(std::move(path)) {}

  // Compares the files at the path (the log of changes and its index too) with those that the connection opened, and
  // looks at what the file begins with on disk. Cheap enough for each commit. Throws Error{kUnavailable} that says what
  // happened and what to do.
  void Check(sqlite3* connection);

 private:
  struct Companion {
    const char* suffix;
    bool seen;
    dev_t device;
    ino_t inode;
  };

  void CheckPlace(sqlite3* connection);
  void CheckCompanion(Companion* companion);
  void CheckContent(sqlite3* connection);

  const std::string path_;
  Companion companions_[2] = {{"-wal", false, 0, 0}, {"-shm", false, 0, 0}};
  sqlite3_int64 size_ = 0;  // of the file when it was looked at last
};

}  // namespace store
}  // namespace cosmos
