#include "store/run_store.h"

#include <sqlite3.h>

#include <odb/schema-catalog.hxx>
#include <odb/sqlite/exceptions.hxx>

#include "core/error.h"
#include "store/row_conversion.h"
#include "store/rows-odb.h"
#include "store/run_store_impl.h"
#include "store/sqlite_file.h"

namespace cosmos {
namespace {

using store::ArtifactRow;
using store::ContainerRow;
using store::GpuClaimRow;
using store::GpuUsageRow;
using store::JobRow;
using store::PromptRow;
using store::RunRow;
using store::StageRow;
using store::TimingsRow;
using store::ToRecord;
using store::ToRow;

constexpr int kMaxPrefixMatches = 10;
constexpr std::int64_t kMaxSizeToCheck = 4 << 20;  // bytes; checked in about 10 ms
constexpr const char* kNewestFirst = "DESC, \"runs\".\"rowid\" DESC";

Error NoSuchRun(const std::string& run_id) {
  return Error(ErrorCode::kNotFound, "there is no run '" + run_id + "'", "see `cosmos-engine runs`");
}

// The key that stages, jobs and containers share.
template <typename Row>
odb::query<Row> KeyOf(const Row& row) {
  using query = odb::query<Row>;
  return query::run == row.run.template object_id<RunRow>() && query::stage == row.stage &&
         query::instance == row.instance && query::attempt == row.attempt;
}

odb::query<ArtifactRow> KeyOf(const ArtifactRow& row) {
  return KeyOf<ArtifactRow>(row) && odb::query<ArtifactRow>::path == row.path;
}

odb::query<GpuUsageRow> KeyOf(const GpuUsageRow& row) {
  return KeyOf<GpuUsageRow>(row) && odb::query<GpuUsageRow>::gpu == row.gpu;
}

// 0 when there is no row with the key of `row`.
template <typename Row>
std::uint64_t IdOfKey(odb::database& database, const Row& row) {
  auto found = database.query<Row>(KeyOf(row));
  const auto first = found.begin();
  return first == found.end() ? 0 : first->id;
}

// Updates the row with `row`'s id; without one inserts it, or updates the one with the same key.
template <typename Row>
std::uint64_t Put(odb::database& database, Row* row) {
  if (row->id != 0) {
    try {
      database.update(*row);
      return row->id;
    } catch (const odb::object_not_persistent&) {
      row->id = 0;  // the transaction that inserted it was rolled back
    }
  }
  try {
    return database.persist(*row);
  } catch (const odb::sqlite::database_exception& error) {
    if ((error.error() & 0xFF) != SQLITE_CONSTRAINT) throw;
  }
  // The key is there, or the run is not.
  row->id = IdOfKey(database, *row);
  if (row->id == 0) throw NoSuchRun(row->run.template object_id<RunRow>());
  database.update(*row);
  return row->id;
}

template <typename Record, typename Row>
std::vector<Record> AllOf(odb::database& database, const std::string& run_id) {
  using query = odb::query<Row>;
  std::vector<Record> records;
  for (const Row& row : database.query<Row>((query::run == run_id) + "ORDER BY" + query::id)) {
    records.push_back(ToRecord(row));
  }
  return records;
}

RunRow LoadRun(odb::database& database, const std::string& run_id) {
  RunRow row;
  if (!database.find(run_id, row)) throw NoSuchRun(run_id);
  return row;
}

// `text` as a LIKE pattern that finds it anywhere, with '\' as the escape character.
std::string PatternOf(const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

odb::query<RunRow> Condition(const RunQuery& asked) {
  using query = odb::query<RunRow>;
  query condition(true);
  if (!asked.status.empty()) condition = condition && query::status == asked.status;
  if (!asked.workflow.empty()) condition = condition && query::workflow == asked.workflow;
  if (!asked.search.empty()) {
    const std::string pattern = PatternOf(asked.search);
    const query of_prompt = query::prompt_id + "IN (SELECT \"prompt_id\" FROM \"prompts\" WHERE \"text\" LIKE" +
                            query::_val(pattern) + "ESCAPE '\\')";
    condition = condition && (query::workflow.like(pattern, "\\") || query::run_id.like(pattern, "\\") ||
                              query::error_message.like(pattern, "\\") || of_prompt);
  }
  return condition;
}

}  // namespace

RunStore::RunStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunStore::~RunStore() = default;

std::unique_ptr<RunStore> RunStore::Open(const std::string& path) {
  store::CreateFile(path);
  std::unique_ptr<Impl> impl(new Impl(path));
  impl->database.PrepareSchema();
  return std::unique_ptr<RunStore>(new RunStore(std::move(impl)));
}

SchemaVersions RunStore::Versions(const std::string& path) {
  SchemaVersions versions;
  versions.current = store::SchemaVersionOf(path);
  versions.latest = odb::schema_catalog::current_version(odb::id_sqlite);
  return versions;
}

std::string RunStore::Upgrade(const std::string& path) {
  store::SchemaVersionOf(path);  // a file that is missing or no database is told before anything is touched
  return store::Database(path).Upgrade();
}

void RunStore::Backup(const std::string& path, const std::string& to) { store::CopyDatabase(path, to); }

std::vector<std::string> RunStore::FindDamage(const std::string& path) {
  return store::FindDamage(path, store::Thoroughness::kFull);
}

void RunStore::ConfirmSaved(const std::string& run_id) {
  store::Database& own = impl_->database;
  own.CheckFile();
  RunStore again(std::unique_ptr<Impl>(new Impl(own.path())));
  const auto state = [&](RunStore* store) {
    const RunRecord run = store->GetRun(run_id);
    std::string text = run.status + "\n" + run.error_message + "\n" + std::to_string(run.ended_at);
    for (const StageRecord& stage : store->StagesOf(run_id)) {
      text += "\n" + stage.stage + "." + stage.instance + " " + std::to_string(stage.attempt) + " " + stage.status;
    }
    return text;
  };
  std::string reason;
  if (state(this) != state(&again)) {
    reason = "what is on disk is not what was written";
  } else if (store::SizeOf(own.path()) <= kMaxSizeToCheck) {
    const std::vector<std::string> damage = store::FindDamage(own.path(), store::Thoroughness::kQuick);
    if (!damage.empty()) reason = damage.front();
  }
  if (!reason.empty()) throw store::DatabaseError(own.path(), SQLITE_CORRUPT, reason);
}

void RunStore::InTransaction(const std::function<void()>& work) { impl_->database.InTransaction(work); }

void RunStore::PutRun(const RunRecord& run) {
  const RunRow row = ToRow(run);
  impl_->database.Write([&](odb::database& database) {
    try {
      database.update(row);
    } catch (const odb::object_not_persistent&) {
      database.persist(row);
    }
  });
}

void RunStore::PutStage(StageRecord* stage) {
  impl_->database.Write([&](odb::database& database) {
    StageRow row = ToRow(*stage, database);
    stage->id = Put(database, &row);
  });
}

void RunStore::PutJob(JobRecord* job) {
  impl_->database.Write([&](odb::database& database) {
    JobRow row = ToRow(*job, database);
    job->id = Put(database, &row);
  });
}

void RunStore::PutContainer(ContainerRecord* container) {
  impl_->database.Write([&](odb::database& database) {
    ContainerRow row = ToRow(*container, database);
    container->id = Put(database, &row);
  });
}

void RunStore::PutArtifact(ArtifactRecord* artifact) {
  impl_->database.Write([&](odb::database& database) {
    ArtifactRow row = ToRow(*artifact, database);
    artifact->id = Put(database, &row);
  });
}

void RunStore::PutGpuClaim(GpuClaimRecord* claim) {
  impl_->database.Write([&](odb::database& database) {
    GpuClaimRow row = ToRow(*claim, database);
    claim->id = Put(database, &row);
  });
}

void RunStore::PutGpuUsage(GpuUsageRecord* usage) {
  impl_->database.Write([&](odb::database& database) {
    GpuUsageRow row = ToRow(*usage, database);
    usage->id = Put(database, &row);
  });
}

void RunStore::DropGpuClaim(std::uint64_t id) {
  impl_->database.Write(
      [&](odb::database& database) { database.erase_query<GpuClaimRow>(odb::query<GpuClaimRow>::id == id); });
}

void RunStore::DropGpuClaimsOf(const std::string& run_id) {
  impl_->database.Write(
      [&](odb::database& database) { database.erase_query<GpuClaimRow>(odb::query<GpuClaimRow>::run == run_id); });
}

void RunStore::PutPrompt(const PromptRecord& prompt) {
  impl_->database.Write([&](odb::database& database) {
    PromptRow row;
    if (!database.find(prompt.prompt_id, row)) {
      row = ToRow(prompt);
      database.persist(row);
    } else if (row.parent_id.null() && !prompt.parent_id.empty()) {
      row.parent_id = prompt.parent_id;
      database.update(row);
    }
  });
}

void RunStore::KeepTimings(TimingsRecord* timings) {
  using query = odb::query<TimingsRow>;
  impl_->database.Write([&](odb::database& database) {
    TimingsRow row = ToRow(*timings);
    timings->id = database.persist(row);
    const int newest_count = kMostTimings;
    const query newest = "(SELECT \"id\" FROM \"timings\" WHERE \"key\" =" + query::_val(row.key) +
                         "ORDER BY \"id\" DESC LIMIT" + query::_val(newest_count) + ")";
    database.erase_query<TimingsRow>(query::key == row.key && query::id + "NOT IN" + newest);
  });
}

void RunStore::SetStageProgress(const StageRecord& attempt) {
  impl_->database.Write([&](odb::database& database) {
    auto found = database.query<StageRow>(KeyOf(ToRow(attempt, database)));
    for (auto row = found.begin(); row != found.end(); ++row) {
      StageRow changed = *row;
      changed.progress = store::TextOrNull(attempt.progress);
      database.update(changed);
    }
  });
}

void RunStore::SetRunLogPath(const std::string& run_id, const std::string& log_path) {
  const auto value = store::LogPathOrNull(log_path);
  impl_->database.Write([&](odb::database& database) {
    RunRow row = LoadRun(database, run_id);
    row.log_path = value;
    database.update(row);
  });
}

void RunStore::SetRunError(const std::string& run_id, const std::string& failure_kind,
                           const std::string& error_message) {
  impl_->database.Write([&](odb::database& database) {
    RunRow row = LoadRun(database, run_id);
    row.status = "failed";
    row.failure_kind = store::TextOrNull(failure_kind);
    row.error_message = store::ErrorOrNull(error_message);
    database.update(row);
  });
}

RunRecord RunStore::GetRun(const std::string& run_id) {
  RunRecord record;
  impl_->database.Read([&](odb::database& database) { record = ToRecord(LoadRun(database, run_id)); });
  return record;
}

bool RunStore::HasRun(const std::string& run_id) {
  bool found = false;
  impl_->database.Read([&](odb::database& database) {
    RunRow row;
    found = database.find(run_id, row);
  });
  return found;
}

std::vector<RunRecord> RunStore::FindRuns(const RunQuery& asked) {
  using query = odb::query<RunRow>;
  std::vector<RunRecord> records;
  impl_->database.Read([&](odb::database& database) {
    const int limit = asked.limit > 0 ? asked.limit : -1;  // SQLite: no limit
    const query ordered =
        Condition(asked) + "ORDER BY" + query::started_at + kNewestFirst + "LIMIT" + query::_val(limit);
    for (const RunRow& row : database.query<RunRow>(ordered)) records.push_back(ToRecord(row));
  });
  return records;
}

std::vector<std::string> RunStore::RunIdsWithPrefix(const std::string& prefix) {
  using query = odb::query<RunRow>;
  // U+10FFFF sorts after every character of an id, so the index answers this.
  const std::string behind = prefix + "\xF4\x8F\xBF\xBF";
  std::vector<std::string> ids;
  impl_->database.Read([&](odb::database& database) {
    const query matching = (query::run_id >= prefix && query::run_id < behind) + "ORDER BY" + query::started_at +
                           kNewestFirst + "LIMIT" + query::_val(kMaxPrefixMatches);
    for (const RunRow& row : database.query<RunRow>(matching)) ids.push_back(row.run_id);
  });
  return ids;
}

std::vector<StageRecord> RunStore::StagesOf(const std::string& run_id) {
  std::vector<StageRecord> records;
  impl_->database.Read([&](odb::database& database) { records = AllOf<StageRecord, StageRow>(database, run_id); });
  return records;
}

std::vector<JobRecord> RunStore::JobsOf(const std::string& run_id) {
  std::vector<JobRecord> records;
  impl_->database.Read([&](odb::database& database) { records = AllOf<JobRecord, JobRow>(database, run_id); });
  return records;
}

std::vector<ContainerRecord> RunStore::ContainersOf(const std::string& run_id) {
  std::vector<ContainerRecord> records;
  impl_->database.Read(
      [&](odb::database& database) { records = AllOf<ContainerRecord, ContainerRow>(database, run_id); });
  return records;
}

std::vector<ArtifactRecord> RunStore::ArtifactsOf(const std::string& run_id) {
  std::vector<ArtifactRecord> records;
  impl_->database.Read(
      [&](odb::database& database) { records = AllOf<ArtifactRecord, ArtifactRow>(database, run_id); });
  return records;
}

std::vector<GpuUsageRecord> RunStore::GpuUsagesOf(const std::string& run_id) {
  std::vector<GpuUsageRecord> records;
  impl_->database.Read(
      [&](odb::database& database) { records = AllOf<GpuUsageRecord, GpuUsageRow>(database, run_id); });
  return records;
}

std::vector<GpuClaimRecord> RunStore::GpuClaims() {
  using query = odb::query<GpuClaimRow>;
  std::vector<GpuClaimRecord> records;
  impl_->database.Read([&](odb::database& database) {
    const query ordered = query(true) + "ORDER BY" + query::priority + "DESC," + query::id;
    for (const GpuClaimRow& row : database.query<GpuClaimRow>(ordered)) records.push_back(ToRecord(row));
  });
  return records;
}

std::vector<TimingsRecord> RunStore::TimingsOf(const std::string& key, int limit) {
  using query = odb::query<TimingsRow>;
  std::vector<TimingsRecord> records;
  impl_->database.Read([&](odb::database& database) {
    const query newest = (query::key == key) + "ORDER BY" + query::id + "DESC LIMIT" + query::_val(limit);
    for (const TimingsRow& row : database.query<TimingsRow>(newest)) records.push_back(ToRecord(row));
  });
  return records;
}

PromptRecord RunStore::GetPrompt(const std::string& prompt_id) {
  PromptRecord record;
  impl_->database.Read([&](odb::database& database) {
    PromptRow row;
    if (!database.find(prompt_id, row)) throw Error(ErrorCode::kNotFound, "there is no prompt '" + prompt_id + "'");
    record = ToRecord(row);
  });
  return record;
}

}  // namespace cosmos
