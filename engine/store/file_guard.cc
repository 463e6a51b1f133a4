#include "store/file_guard.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "store/sqlite_file.h"

namespace cosmos {
namespace store {
namespace {

constexpr const char* kHint =
    "put the file back, or move away what is there now and restore the runs from their folders with "
    "`cosmos-engine db rebuild OUTPUT_DIR`; then `cosmos-engine resume` the run";

Error Lost(const std::string& path, const std::string& what) {
  return Error(ErrorCode::kUnavailable, "the database '" + path + "' " + what + " while it was in use", kHint);
}

}  // namespace

void FileGuard::Check(sqlite3* connection) {
  CheckPlace(connection);
  for (Companion& companion : companions_) CheckCompanion(&companion);
  CheckContent(connection);
}

void FileGuard::CheckPlace(sqlite3* connection) {
  int moved = 0;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || moved == 0) return;
  struct stat info {};
  const bool replaced = ::stat(path_.c_str(), &info) == 0;
  throw Lost(path_, replaced ? "was replaced by another file" : "was removed");
}

// Without the log, other programs do not see what this one writes, and it is lost with this process.
void FileGuard::CheckCompanion(Companion* companion) {
  const std::string path = path_ + companion->suffix;
  struct stat info {};
  const bool there = ::stat(path.c_str(), &info) == 0;
  if (!companion->seen) {
    if (!there) return;
    companion->seen = true;
    companion->device = info.st_dev;
    companion->inode = info.st_ino;
    return;
  }
  if (there && info.st_dev == companion->device && info.st_ino == companion->inode) return;
  throw Lost(path_, std::string("lost its file '") + path + "'");
}

void FileGuard::CheckContent(sqlite3* connection) {
  constexpr char kMagic[] = "SQLite format 3";
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return;
  // Through SQLite's own descriptor: opening and closing the file would drop this process's locks on it.
  char begin[sizeof kMagic] = {};
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return;
  if (size != 0) file->pMethods->xRead(file, begin, sizeof begin, 0);
  if (std::memcmp(begin, kMagic, sizeof kMagic) != 0) throw Lost(path_, size == 0 ? "was emptied" : "was overwritten");
  if (size < size_) {  // as VACUUM may do it, too
    const std::vector<std::string> damage = FindDamage(path_, Thoroughness::kQuick);
    if (!damage.empty()) throw Lost(path_, "was damaged (" + damage.front() + ")");
  }
  size_ = size;
}

}  // namespace store
}  // namespace cosmos
