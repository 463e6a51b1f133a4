#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/error.h"
#include "store/run_store.h"

namespace cosmos {

// A folder that a test may fill; removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cosmos-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Carries out `sql` on the database at `path` without the store and gives the rows, each as `a|b|NULL`.
inline std::vector<std::string> Sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(path.c_str(), &connection) != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  std::vector<std::string> rows;
  const auto add = [](void* result, int count, char** values, char**) {
    std::string row;
    for (int i = 0; i < count; ++i) row += (i > 0 ? "|" : "") + std::string(values[i] != nullptr ? values[i] : "NULL");
    static_cast<std::vector<std::string>*>(result)->push_back(row);
    return 0;
  };
  char* message = nullptr;
  sqlite3_exec(connection, sql.c_str(), add, &rows, &message);
  const std::string error = message != nullptr ? message : "";
  sqlite3_free(message);
  sqlite3_close(connection);
  if (!error.empty()) throw std::runtime_error(error + " in " + sql);
  return rows;
}

// The Error that `work` throws; a failed test without one.
template <typename Work>
Error ErrorOf(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return Error(ErrorCode::kInternal, "no error");
}

inline RunRecord SomeRun(const std::string& run_id, std::int64_t started_at = 1000) {
  RunRecord run;
  run.run_id = run_id;
  run.workflow = "city-at-night";
  run.workflow_path = "/home/me/city.yaml";
  run.output_dir = "/home/me/outputs";
  run.prompt_name = "city-at-night";
  run.status = "running";
  run.started_at = started_at;
  return run;
}

inline StageRecord SomeStage(const std::string& run_id, const std::string& stage) {
  StageRecord record;
  record.run_id = run_id;
  record.stage = stage;
  record.uses = "shell";
  record.target = "local";
  record.status = "running";
  return record;
}

}  // namespace cosmos
