#include "cli/state_home.h"

#include <cstdlib>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// $XDG_VARIABLE/cosmos-engine, else ~/OTHERWISE/cosmos-engine; empty without a home.
fs::path OwnFolder(const char* variable, const char* otherwise) {
  if (const std::string folder = Environment(variable); !folder.empty()) return fs::path(folder) / "cosmos-engine";
  const std::string home = Environment("HOME");
  return home.empty() ? fs::path() : fs::path(home) / otherwise / "cosmos-engine";
}

}  // namespace

fs::path StateHome() {
  if (const std::string home = Environment("COSMOS_HOME"); !home.empty()) return fs::absolute(home);
  const fs::path folder = OwnFolder("XDG_DATA_HOME", ".local/share");
  if (!folder.empty()) return folder;
  throw Error(ErrorCode::kUnavailable,
              "there is no place for the database of runs: neither HOME nor COSMOS_HOME is set",
              "set COSMOS_HOME, or give --db FILE");
}

fs::path CacheFolder() {
  if (const std::string home = Environment("COSMOS_HOME"); !home.empty()) return fs::absolute(home) / "cache";
  return OwnFolder("XDG_CACHE_HOME", ".cache");
}

fs::path DatabasePath(const Arguments& arguments) {
  if (arguments.Has("db")) return fs::absolute(arguments.Get("db"));
  if (const std::string path = Environment("COSMOS_DB"); !path.empty()) return fs::absolute(path);
  return StateHome() / "runs.db";
}

std::unique_ptr<RunStore> OpenStore(const Arguments& arguments) {
  const fs::path path = DatabasePath(arguments);
  const bool named = arguments.Has("db") || !Environment("COSMOS_DB").empty();
  std::error_code error;
  if (named && !fs::is_directory(path.parent_path(), error)) {
    throw Error(ErrorCode::kNotFound,
                "there is no folder '" + path.parent_path().string() + "' for the database '" + path.string() + "'",
                "make the folder, or correct --db or $COSMOS_DB");
  }
  return RunStore::Open(path);
}

fs::path ConfigFile() {
  const fs::path folder = OwnFolder("XDG_CONFIG_HOME", ".config");
  std::error_code error;
  if (folder.empty() || !fs::exists(folder / "config.yaml", error)) return {};
  return folder / "config.yaml";
}

RunRecord FindRun(const std::string& word, RunStore* store) {
  if (word == "last") {
    RunQuery query;
    query.limit = 1;
    const std::vector<RunRecord> runs = store->FindRuns(query);
    if (!runs.empty()) return runs[0];
    throw Error(ErrorCode::kNotFound, "there are no runs yet", "start one with `cosmos-engine run WORKFLOW`");
  }
  if (store->HasRun(word)) return store->GetRun(word);
  const std::vector<std::string> ids = store->RunIdsWithPrefix(word);
  if (ids.size() == 1) return store->GetRun(ids[0]);
  if (ids.empty()) {
    throw Error(ErrorCode::kNotFound, "there is no run '" + word + "'", "`cosmos-engine runs` lists them");
  }
  throw Error(ErrorCode::kInvalidInput, "several runs begin with '" + word + "': " + Join(ids, ", "),
              "write more of the one you mean");
}

}  // namespace cosmos
