#include "store/database.h"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <odb/schema-catalog.hxx>
#include <odb/sqlite/connection-factory.hxx>
#include <odb/sqlite/exceptions.hxx>
#include <odb/sqlite/transaction.hxx>
#include <thread>

#include "store/sqlite_file.h"

namespace cosmos {
namespace store {
namespace {

// `PATH.v1.20261123T134642Z.bak`, with a number where that exists already.
std::string FreeBackupPath(const std::string& path, std::uint64_t version) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
  const std::string base = path + ".v" + std::to_string(version) + "." + stamp;
  std::string candidate = base + ".bak";
  for (int i = 2; ::access(candidate.c_str(), F_OK) == 0; ++i) candidate = base + "." + std::to_string(i) + ".bak";
  return candidate;
}

}  // namespace

Database::Database(const std::string& path) : path_(path), guard_(path) {
  Translated([this] {
    std::unique_ptr<odb::sqlite::connection_factory> one_connection(new odb::sqlite::single_connection_factory);
    database_.reset(new odb::sqlite::database(path_, SQLITE_OPEN_READWRITE, true, "", std::move(one_connection)));
    const odb::sqlite::connection_ptr connection(database_->connection());
    sqlite3_busy_timeout(connection->handle(), kBusyTimeoutMs);
    EnterWal(connection.get());
    connection->execute("PRAGMA synchronous = NORMAL");
  });
}

void Database::EnterWal(odb::sqlite::connection* connection) {
  // SQLite does not wait for other connections here, even with a busy timeout: two processes may create the database at
  // once.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyTimeoutMs);
  while (true) {
    const int code = sqlite3_exec(connection->handle(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    const bool busy = (code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED;
    if (!busy || std::chrono::steady_clock::now() > deadline) {
      throw DatabaseError(path_, code, sqlite3_errmsg(connection->handle()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::uint64_t Database::CurrentVersion() { return SchemaVersionOf(path_); }

std::uint64_t Database::LatestVersion() { return odb::schema_catalog::current_version(*database_); }

void Database::PrepareSchema() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  std::uint64_t current = CurrentVersion();
  if (current == 0) {
    // Another process may be doing the same: whoever gets the write lock second finds the first one's tables.
    Transact(Access::kWrite, [this] {
      if (CurrentVersion() == 0) odb::schema_catalog::create_schema(*database_, "", false);
    });
    current = CurrentVersion();
  }
  const std::uint64_t latest = LatestVersion();
  const std::string found = "the database '" + path_ + "' has schema version " + std::to_string(current) +
                            ", this program knows " + std::to_string(latest);
  if (current < latest) throw Error(ErrorCode::kConflict, found, "run `cosmos-engine db upgrade`");
  if (current > latest) {
    throw Error(ErrorCode::kConflict, found,
                "use the newer cosmos-engine that wrote it, or name another database with --db or $COSMOS_DB");
  }
}

std::string Database::Upgrade() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const std::uint64_t current = CurrentVersion();
  if (current == 0 || current >= LatestVersion()) {
    PrepareSchema();
    return "";
  }
  const std::string backup = FreeBackupPath(path_, current);
  CopyDatabase(path_, backup);
  Transact(Access::kWrite, [this] {
    if (CurrentVersion() < LatestVersion()) odb::schema_catalog::migrate(*database_);
  });
  return backup;
}

void Database::Read(const std::function<void(odb::database&)>& work) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (in_transaction_) return Translated([&] { work(*database_); });
  Transact(Access::kRead, [&] { work(*database_); });
}

void Database::Write(const std::function<void(odb::database&)>& work) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (in_transaction_) return Translated([&] { work(*database_); });
  Transact(Access::kWrite, [&] { work(*database_); });
}

void Database::InTransaction(const std::function<void()>& work) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (in_transaction_)
    throw Error(ErrorCode::kInternal, "a transaction of the run store was started inside another one");
  Transact(Access::kWrite, work);
}

void Database::Transact(Access access, const std::function<void()>& work) {
  struct Flag {
    explicit Flag(bool& flag) : flag(flag) { flag = true; }
    ~Flag() { flag = false; }
    bool& flag;
  };
  Translated([&] {
    const odb::sqlite::connection_ptr connection(database_->connection());
    // A transaction that will write takes the write lock at once: one that began by reading could not wait for it.
    odb::transaction transaction(access == Access::kWrite ? connection->begin_immediate() : connection->begin());
    {
      const Flag flag(in_transaction_);
      work();
    }
    transaction.commit();
    if (access == Access::kWrite) guard_.Check(connection->handle());
  });
}

void Database::CheckFile() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  Translated([this] {
    const odb::sqlite::connection_ptr connection(database_->connection());
    guard_.Check(connection->handle());
  });
}

void Database::Translated(const std::function<void()>& work) {
  try {
    work();
  } catch (const odb::sqlite::database_exception& error) {
    throw DatabaseError(path_, error.error(), error.message());
  } catch (const odb::timeout&) {
    throw DatabaseError(path_, SQLITE_BUSY, "timeout");
  } catch (const odb::exception& error) {
    throw DatabaseError(path_, SQLITE_ERROR, error.what());
  }
}

}  // namespace store
}  // namespace cosmos
