#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <odb/sqlite/database.hxx>
#include <string>

#include "store/file_guard.h"
#include "store/run_store.h"

namespace cosmos {
namespace store {

// One connection to the database at `path`: its settings, its schema, and who may use it when. Thread-safe: a piece of
// work has the connection for itself, and work that a piece of work starts on the same thread joins its transaction.
// Everything that goes wrong below is thrown as cosmos::Error{kUnavailable} with path and reason.
class Database {
 public:
  // Opens an existing file, whatever its schema.
  explicit Database(const std::string& path);

  // Creates the schema when the file has none (another process may do the same at the same time), then throws kConflict
  // unless it is the latest one.
  void PrepareSchema();
  // See RunStore::Upgrade.
  std::string Upgrade();

  // `work` in a transaction of its own (or the current one, see above); rolled back when it throws.
  void Read(const std::function<void(odb::database&)>& work);
  void Write(const std::function<void(odb::database&)>& work);
  // Throws when the file at the path is not the database any more that was opened. Write and InTransaction do the same
  // after each commit.
  void CheckFile();
  // The same for work that calls back into the store. Throws kInternal when the thread is in one already.
  void InTransaction(const std::function<void()>& work);

  const std::string& path() const { return path_; }

 private:
  enum class Access { kRead, kWrite };

  std::uint64_t CurrentVersion();
  std::uint64_t LatestVersion();
  void EnterWal(odb::sqlite::connection* connection);
  // REQUIRES: mutex_ is held and no transaction is open.
  void Transact(Access access, const std::function<void()>& work);
  // Runs `work` and turns what SQLite and ODB throw into cosmos::Error.
  void Translated(const std::function<void()>& work);

  const std::string path_;
  std::recursive_mutex mutex_;  // guards all below
  FileGuard guard_;
  std::unique_ptr<odb::sqlite::database> database_;
  bool in_transaction_ = false;
};

}  // namespace store
}  // namespace cosmos
