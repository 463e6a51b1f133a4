#include "store/sqlite_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

namespace cosmos {
namespace store {
namespace {

constexpr std::size_t kMostDamage = 100;

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error LastError(const std::string& path, const Connection& connection) {
  return DatabaseError(path, sqlite3_extended_errcode(connection.get()), sqlite3_errmsg(connection.get()));
}

Connection Connect(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection(raw);
  if (code != SQLITE_OK) throw DatabaseError(path, code, raw != nullptr ? sqlite3_errmsg(raw) : "out of memory");
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return connection;
}

void CheckExists(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return;
  if (errno == ENOENT || errno == ENOTDIR) {
    throw Error(ErrorCode::kNotFound, "there is no database at '" + path + "'",
                "it is made by the first run; name another one with --db or $COSMOS_DB");
  }
  throw IoError("look for", path, errno);
}

// The number that `query` gives, 0 without a row.
std::int64_t Number(const std::string& path, const Connection& connection, const char* query) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(connection.get(), query, -1, &raw, nullptr) != SQLITE_OK) throw LastError(path, connection);
  const Statement statement(raw);
  const int code = sqlite3_step(raw);
  if (code == SQLITE_ROW) return sqlite3_column_int64(raw, 0);
  if (code != SQLITE_DONE) throw LastError(path, connection);
  return 0;
}

void CreateFolders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int reason = errno;
    if (::access(folder.c_str(), F_OK) == 0) continue;  // a read-only file system says so before it says EEXIST
    throw Error(ErrorCode::kUnavailable,
                "cannot create the folder '" + folder + "' for the database: " + std::strerror(reason),
                "name another database with --db or $COSMOS_DB");
  }
}

}  // namespace

Error DatabaseError(const std::string& path, int code, const std::string& reason) {
  std::string message = "cannot use the database '" + path + "': ";
  std::string hint;
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      message = "'" + path + "' is not a database of cosmos-engine: " + reason;
      hint = "move the file away, or name another database with --db or $COSMOS_DB";
      break;
    case SQLITE_CORRUPT:
      message += reason;
      hint =
          "move the file away; put a backup in its place, or restore the runs from their folders with "
          "`cosmos-engine db rebuild OUTPUT_DIR`";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      message += "another process has kept it locked for " + std::to_string(kBusyTimeoutMs / 1000) + " s";
      hint = "look for a program that has the database open";
      break;
    case SQLITE_READONLY:
      message += "the file or its folder cannot be written (" + reason + ")";
      hint = "fix its permissions, or name another database with --db or $COSMOS_DB";
      break;
    case SQLITE_FULL:
      message += "the disk is full (" + reason + ")";
      hint = "free some space and try again";
      break;
    case SQLITE_CANTOPEN:
      message += reason;
      hint = "it must be a file that you may read and write; name another one with --db or $COSMOS_DB";
      break;
    default:
      message += reason;
  }
  return Error(ErrorCode::kUnavailable, message, hint);
}

void CreateFile(const std::string& path) {
  CreateFolders(path);
  // Never opens a file that is there: closing it would drop the locks that this process holds on it through SQLite.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  if (fd >= 0 || errno == EEXIST) return;
  throw Error(ErrorCode::kUnavailable, "cannot create the database '" + path + "': " + std::strerror(errno),
              "it must be a file that you may read and write; name another one with --db or $COSMOS_DB");
}

std::uint64_t SchemaVersionOf(const std::string& path) {
  CheckExists(path);
  const Connection connection = Connect(path, SQLITE_OPEN_READONLY);
  // One snapshot for all queries: another process may be creating the schema.
  if (sqlite3_exec(connection.get(), "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK)
    throw LastError(path, connection);
  if (Number(path, connection, "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'") == 0) {
    if (Number(path, connection, "SELECT count(*) FROM sqlite_master") != 0) {
      throw DatabaseError(path, SQLITE_NOTADB, "it holds tables of another program");
    }
    return 0;
  }
  return static_cast<std::uint64_t>(Number(path, connection, "SELECT version FROM schema_version WHERE name = ''"));
}

std::vector<std::string> FindDamage(const std::string& path, Thoroughness thoroughness) {
  CheckExists(path);
  const Connection connection = Connect(path, SQLITE_OPEN_READONLY);
  std::vector<std::string> found;
  const auto collect = [&](const char* query, const std::function<std::string(sqlite3_stmt*)>& sentence) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(connection.get(), query, -1, &raw, nullptr);
    const Statement statement(raw);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
      code = sqlite3_step(raw);
      if (code == SQLITE_ROW && found.size() < kMostDamage) found.push_back(sentence(raw));
    }
    if (code == SQLITE_DONE) return;
    if ((code & 0xFF) != SQLITE_CORRUPT && (code & 0xFF) != SQLITE_NOTADB) throw LastError(path, connection);
    found.push_back(sqlite3_errmsg(connection.get()));
  };
  const auto text = [](sqlite3_stmt* row, int column) {
    const unsigned char* value = sqlite3_column_text(row, column);
    return std::string(value == nullptr ? "?" : reinterpret_cast<const char*>(value));
  };
  const bool full = thoroughness == Thoroughness::kFull;
  collect(full ? "PRAGMA integrity_check" : "PRAGMA quick_check", [&](sqlite3_stmt* row) { return text(row, 0); });
  found.erase(std::remove(found.begin(), found.end(), "ok"), found.end());
  if (full && found.empty()) {
    collect("PRAGMA foreign_key_check", [&](sqlite3_stmt* row) {
      return "row " + text(row, 1) + " of the table " + text(row, 0) + " belongs to a row of " + text(row, 2) +
             " that is not there";
    });
  }
  return found;
}

std::int64_t SizeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : 0;
}

void CopyDatabase(const std::string& from, const std::string& to) {
  CheckExists(from);
  const Connection source = Connect(from, SQLITE_OPEN_READONLY);
  const int fd = ::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) {
    throw Error(ErrorCode::kConflict, "'" + to + "' exists already", "name a file that does not exist");
  }
  if (fd < 0) throw Error(ErrorCode::kUnavailable, "cannot create '" + to + "': " + std::strerror(errno));
  ::close(fd);
  try {
    const Connection copy = Connect(to, SQLITE_OPEN_READWRITE);
    sqlite3_backup* backup = sqlite3_backup_init(copy.get(), "main", source.get(), "main");
    if (backup == nullptr) throw LastError(to, copy);
    const int step = sqlite3_backup_step(backup, -1);
    const int finish = sqlite3_backup_finish(backup);
    if (step != SQLITE_DONE) {
      const int code = finish != SQLITE_OK ? finish : step;
      throw DatabaseError(to, code, "copying '" + from + "' failed: " + sqlite3_errstr(code));
    }
    const std::vector<std::string> damage = FindDamage(to, Thoroughness::kQuick);
    if (!damage.empty()) throw DatabaseError(from, SQLITE_CORRUPT, damage.front());
  } catch (...) {
    ::unlink(to.c_str());
    throw;
  }
}

}  // namespace store
}  // namespace cosmos
