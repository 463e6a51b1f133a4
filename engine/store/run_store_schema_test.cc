#include <sys/stat.h>

#include <fstream>

#include "store/sqlite_file.h"
#include "store/store_test_support.h"

// Versions of the schema: making, upgrading, refusing and copying databases.
namespace cosmos {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Version 1 as it was, frozen here: never changed with the model.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE IF NOT EXISTS "schema_version" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "version" INTEGER NOT NULL,
  "migration" INTEGER NOT NULL);

DELETE FROM "schema_version"
  WHERE "name" = '';

CREATE TABLE "prompts" (
  "prompt_id" TEXT NOT NULL PRIMARY KEY,
  "parent_id" TEXT NULL,
  "text" TEXT NOT NULL,
  "negative_prompt" TEXT NULL,
  "created_at" INTEGER NOT NULL);

CREATE TABLE "runs" (
  "run_id" TEXT NOT NULL PRIMARY KEY,
  "workflow" TEXT NOT NULL,
  "workflow_path" TEXT NOT NULL,
  "output_dir" TEXT NOT NULL,
  "prompt_id" TEXT NULL,
  "prompt_name" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "failure_kind" TEXT NULL,
  "started_at" INTEGER NOT NULL,
  "ended_at" INTEGER NULL);

CREATE INDEX "runs_status_i"
  ON "runs" ("status");

CREATE INDEX "runs_started_at_i"
  ON "runs" ("started_at");

CREATE TABLE "stage_executions" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "uses" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "failure_kind" TEXT NULL,
  "error_message" TEXT NULL,
  "prompt_id" TEXT NULL,
  "prompt_name" TEXT NULL,
  "operation_id" TEXT NULL,
  "log_path" TEXT NULL,
  "outputs" TEXT NULL,
  "started_at" INTEGER NULL,
  "ended_at" INTEGER NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE UNIQUE INDEX "stage_executions_key"
  ON "stage_executions" (
    "run_id",
    "stage",
    "instance",
    "attempt");

CREATE TABLE "jobs" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "target" TEXT NOT NULL,
  "folder" TEXT NOT NULL,
  "pid" INTEGER NULL,
  "pid_start_time" INTEGER NULL,
  "boot_id" TEXT NULL,
  "container" TEXT NULL,
  "status" TEXT NOT NULL,
  "exit_status" INTEGER NULL,
  "submitted_at" INTEGER NULL,
  "ended_at" INTEGER NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE UNIQUE INDEX "jobs_key"
  ON "jobs" (
    "run_id",
    "stage",
    "instance",
    "attempt");

CREATE TABLE "artifacts" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "name" TEXT NULL,
  "path" TEXT NOT NULL,
  "size" INTEGER NOT NULL,
  "sha256" TEXT NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE UNIQUE INDEX "artifacts_key"
  ON "artifacts" (
    "run_id",
    "stage",
    "instance",
    "attempt",
    "path");

INSERT OR IGNORE INTO "schema_version" (
  "name", "version", "migration")
  VALUES ('', 1, 0);
)sql";

constexpr const char* kRowsOfVersion1 = R"sql(
INSERT INTO prompts VALUES ('ps_1', NULL, 'a city at night 🌃', 'blurry', 10), ('ps_2', 'ps_1', 'a city', NULL, 11);
INSERT INTO runs VALUES
  ('rs_1', 'city', '/w/city.yaml', '/o', 'ps_1', 'city', 'succeeded', NULL, 100, 200),
  ('rs_2', 'city', '/w/city.yaml', '/o', NULL, 'city', 'failed', 'exit_code', 300, NULL);
INSERT INTO stage_executions VALUES
  (1, 'rs_1', 'render', '7', 1, 'inference', 'local', 'succeeded', NULL, NULL, 'ps_1', 'city_7', NULL, 'l', '{}', 1, 2),
  (9, 'rs_2', 'render', '', 2, 'shell', 'gpu1', 'failed', 'exit_code', 'exited with 3', NULL, NULL, NULL, NULL, NULL, 3,
   NULL);
INSERT INTO jobs VALUES (4, 'rs_2', 'render', '', 2, 'gpu1', '/j', 42, 7, 'b', NULL, 'ended', 3, 301, 302);
INSERT INTO artifacts VALUES (5, 'rs_1', 'render', '7', 1, 'video', '/o/a.mp4', 12345, 'abc');
)sql";

// What version 3 added to version 1, frozen as well, and a row of its own.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE "runs" ADD COLUMN "log_path" VARCHAR(500) NULL;
ALTER TABLE "runs" ADD COLUMN "error_message" TEXT NULL;

CREATE TABLE "containers" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "target" TEXT NOT NULL,
  "engine" TEXT NOT NULL,
  "sudo" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "container_id" TEXT NULL,
  "image" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "exit_status" INTEGER NULL,
  "oom_killed" INTEGER NOT NULL,
  "started_at" INTEGER NULL,
  "ended_at" INTEGER NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE UNIQUE INDEX "containers_key"
  ON "containers" (
    "run_id",
    "stage",
    "instance",
    "attempt");

UPDATE "schema_version" SET "version" = 3;
INSERT INTO containers VALUES
  (2, 'rs_2', 'render', '', 2, 'gpu1', 'docker', 1, 'cosmos_rs_2', 'abc', 'i:1', 'exited', 3, 0, 301, 302);
)sql";

// And what version 4 added to version 3.
constexpr const char* kVersion4 = R"sql(
ALTER TABLE "stage_executions" ADD COLUMN "progress" TEXT NULL;

CREATE TABLE "timings" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "key" TEXT NOT NULL,
  "timings" TEXT NOT NULL,
  "run_id" TEXT NOT NULL,
  "ended_at" INTEGER NOT NULL);

CREATE INDEX "timings_key_i"
  ON "timings" ("key");

UPDATE "schema_version" SET "version" = 4;
INSERT INTO timings VALUES (3, '{"model":"m"}', '{"seconds":5}', 'rs_1', 400);
)sql";

// And what version 5 added to version 4.
constexpr const char* kVersion5 = R"sql(
ALTER TABLE "timings" ADD COLUMN "gpu_memory" INTEGER NULL;

CREATE TABLE "gpu_claims" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "target" TEXT NOT NULL,
  "host" TEXT NOT NULL,
  "gpus" INTEGER NOT NULL,
  "priority" INTEGER NOT NULL,
  "devices" TEXT NULL,
  "reason" TEXT NULL,
  "asleep" INTEGER NOT NULL,
  "requested_at" INTEGER NOT NULL,
  "granted_at" INTEGER NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE INDEX "gpu_claims_host_i"
  ON "gpu_claims" ("host");

CREATE UNIQUE INDEX "gpu_claims_key"
  ON "gpu_claims" (
    "run_id",
    "stage",
    "instance",
    "attempt");

CREATE TABLE "gpu_usages" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL,
  "gpu" INTEGER NOT NULL,
  "uuid" TEXT NULL,
  "name" TEXT NULL,
  "memory_total" INTEGER NULL,
  "peak_memory" INTEGER NULL,
  "mean_utilization" REAL NULL,
  "peak_utilization" REAL NULL,
  "energy" REAL NULL,
  "seconds" REAL NULL,
  "samples" INTEGER NOT NULL,
  CONSTRAINT "run_id_fk"
    FOREIGN KEY ("run_id")
    REFERENCES "runs" ("run_id")
    ON DELETE CASCADE);

CREATE UNIQUE INDEX "gpu_usages_key"
  ON "gpu_usages" (
    "run_id",
    "stage",
    "instance",
    "attempt",
    "gpu");

UPDATE "schema_version" SET "version" = 5;
INSERT INTO gpu_usages VALUES (1, 'rs_1', 'render', '7', 1, 0, 'GPU-0', 'H100', 80000, 70000, 0.5, 1, 0.25, 60, 12);
)sql";

// And what version 6 added to version 5.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE "forgotten_totals" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "uses" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "failure_kind" TEXT NOT NULL,
  "bound" INTEGER NOT NULL,
  "count" INTEGER NOT NULL,
  "milliseconds" INTEGER NOT NULL);

CREATE UNIQUE INDEX "forgotten_totals_key"
  ON "forgotten_totals" (
    "uses",
    "status",
    "failure_kind",
    "bound");

UPDATE "schema_version" SET "version" = 6;
)sql";

// And what version 7 added to version 6.
constexpr const char* kVersion7 = R"sql(
ALTER TABLE "runs" ADD COLUMN "retried_at" INTEGER NULL;

UPDATE "schema_version" SET "version" = 7;
)sql";

const std::vector<std::string> kTables = {"prompts", "jobs"};

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

class RunStoreSchemaTest : public testing::Test {
 protected:
  // With rows in it, of each version some.
  void MakeVersion(int version) {
    Sql(path_, kVersion1);
    Sql(path_, kRowsOfVersion1);
    for (const auto& [number, changes] :
         {std::pair(3, kVersion3), {4, kVersion4}, {5, kVersion5}, {6, kVersion6}, {7, kVersion7}}) {
      if (number <= version) Sql(path_, changes);
    }
  }
  std::vector<std::vector<std::string>> OldRows(const std::string& path) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& table : kTables) rows.push_back(Sql(path, "SELECT * FROM " + table));
    rows.push_back(Sql(path, "SELECT id, run_id, stage, instance, attempt, name, path, size, sha256 FROM artifacts"));
    rows.push_back(Sql(path,
                       "SELECT run_id, workflow, workflow_path, output_dir, prompt_id, prompt_name, status, "
                       "failure_kind, started_at, ended_at FROM runs"));
    rows.push_back(Sql(path,
                       "SELECT id, run_id, stage, instance, attempt, uses, target, status, failure_kind, "
                       "error_message, prompt_id, prompt_name, operation_id, log_path, outputs, started_at, ended_at "
                       "FROM stage_executions"));
    return rows;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "cosmos.db";
};

TEST_F(RunStoreSchemaTest, UpgradesVersion1OnceAndKeepsEveryRow) {
  MakeVersion(1);
  const auto before = OldRows(path_);
  EXPECT_EQ(RunStore::Versions(path_).current, 1u);
  EXPECT_EQ(RunStore::Versions(path_).latest, 8u);

  const std::string backup = RunStore::Upgrade(path_);
  EXPECT_THAT(backup, AllOf(StartsWith(path_ + ".v1.2"), EndsWith("Z.bak")));
  EXPECT_EQ(OldRows(path_), before);
  EXPECT_EQ(OldRows(backup), before);
  EXPECT_EQ(RunStore::Versions(backup).current, 1u);
  EXPECT_EQ(ModeOf(backup), 0600u);
  EXPECT_EQ(RunStore::Versions(path_).current, 8u);

  EXPECT_EQ(RunStore::Upgrade(path_), "");
  EXPECT_EQ(OldRows(path_), before);
  EXPECT_THAT(Sql(path_, "SELECT log_path, error_message FROM runs"), ElementsAre("NULL|NULL", "NULL|NULL"));
  EXPECT_THAT(Sql(path_, "SELECT count(*) FROM containers"), ElementsAre("0"));
  EXPECT_THAT(Sql(path_, "SELECT version, migration FROM schema_version"), ElementsAre("8|0"));
}

TEST_F(RunStoreSchemaTest, UpgradesVersion3AndKeepsEveryRow) {
  MakeVersion(3);
  const auto before = OldRows(path_);
  const auto containers = Sql(path_, "SELECT * FROM containers");
  ASSERT_EQ(containers.size(), 1u);

  EXPECT_THAT(RunStore::Upgrade(path_), StartsWith(path_ + ".v3.2"));
  EXPECT_EQ(OldRows(path_), before);
  EXPECT_EQ(Sql(path_, "SELECT * FROM containers"), containers);
  EXPECT_THAT(Sql(path_, "SELECT progress FROM stage_executions"), ElementsAre("NULL", "NULL"));
  EXPECT_THAT(Sql(path_, "SELECT count(*) FROM timings"), ElementsAre("0"));
  const auto store = RunStore::Open(path_);
  EXPECT_EQ(store->StagesOf("rs_2").at(0).progress, "");
  EXPECT_EQ(store->ContainersOf("rs_2").at(0).name, "cosmos_rs_2");
}

TEST_F(RunStoreSchemaTest, UpgradesVersion4AndKeepsEveryRow) {
  MakeVersion(4);
  const auto before = OldRows(path_);

  EXPECT_THAT(RunStore::Upgrade(path_), StartsWith(path_ + ".v4.2"));
  EXPECT_EQ(OldRows(path_), before);
  EXPECT_THAT(Sql(path_, "SELECT * FROM timings"), ElementsAre("3|{\"model\":\"m\"}|{\"seconds\":5}|rs_1|400|NULL"));
  const auto store = RunStore::Open(path_);
  EXPECT_THAT(store->GpuClaims(), testing::IsEmpty());
  EXPECT_THAT(store->GpuUsagesOf("rs_1"), testing::IsEmpty());
}

TEST_F(RunStoreSchemaTest, UpgradesVersion5AndKeepsEveryRow) {
  MakeVersion(5);
  const auto before = OldRows(path_);

  EXPECT_THAT(RunStore::Upgrade(path_), StartsWith(path_ + ".v5.2"));
  EXPECT_EQ(OldRows(path_), before);
  const auto store = RunStore::Open(path_);
  EXPECT_EQ(store->GpuUsagesOf("rs_1").at(0).peak_memory, 70000);
  EXPECT_THAT(store->ForgottenTotals(), testing::IsEmpty());
}

TEST_F(RunStoreSchemaTest, UpgradesVersion6AndKeepsEveryRow) {
  MakeVersion(6);
  const auto before = OldRows(path_);

  EXPECT_THAT(RunStore::Upgrade(path_), StartsWith(path_ + ".v6.2"));
  EXPECT_EQ(OldRows(path_), before);
  const auto store = RunStore::Open(path_);
  const RunRecord run = store->GetRun("rs_1");
  EXPECT_EQ(run.retried_at, 0);
  EXPECT_EQ(run.LatestStart(), run.started_at);
}

TEST_F(RunStoreSchemaTest, UpgradesVersion7AndKeepsEveryRow) {
  MakeVersion(7);
  const auto before = OldRows(path_);

  EXPECT_THAT(RunStore::Upgrade(path_), StartsWith(path_ + ".v7.2"));
  EXPECT_EQ(OldRows(path_), before);
  EXPECT_EQ(RunStore::Open(path_)->ArtifactsOf("rs_1").at(0).files, 0);
}

TEST_F(RunStoreSchemaTest, AnUpgradedDatabaseHasTheSchemaOfANewOne) {
  MakeVersion(1);
  RunStore::Upgrade(path_);
  RunStore::Open(folder_ / "new.db");
  const auto columns = [](const std::string& path) {
    return Sql(path,
               "SELECT m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk FROM sqlite_master m, "
               "pragma_table_info(m.name) c ORDER BY m.name, c.cid");
  };
  const auto indexes = [](const std::string& path) {
    return Sql(path, "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name");
  };
  EXPECT_EQ(columns(path_), columns(folder_ / "new.db"));
  EXPECT_EQ(indexes(path_), indexes(folder_ / "new.db"));

  const auto store = RunStore::Open(path_);
  EXPECT_EQ(store->GetRun("rs_1").log_path, "");
  store->SetRunLogPath("rs_1", "a.log");
  EXPECT_EQ(store->GetRun("rs_1").log_path, "a.log");
}

TEST_F(RunStoreSchemaTest, OpenRefusesAnOlderDatabaseAndSaysHowToUpgrade) {
  MakeVersion(1);
  const Error error = ErrorOf([&] { RunStore::Open(path_); });
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.message(), "the database '" + path_ + "' has schema version 1, this program knows 8");
  EXPECT_EQ(error.hint(), "run `cosmos-engine db upgrade`");
  EXPECT_EQ(RunStore::Versions(path_).current, 1u);
}

TEST_F(RunStoreSchemaTest, RefusesANewerDatabase) {
  RunStore::Open(path_);
  Sql(path_, "UPDATE schema_version SET version = 9");
  for (const Error& error : {ErrorOf([&] { RunStore::Open(path_); }), ErrorOf([&] { RunStore::Upgrade(path_); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kConflict);
    EXPECT_EQ(error.message(), "the database '" + path_ + "' has schema version 9, this program knows 8");
    EXPECT_THAT(error.hint(), HasSubstr("use the newer cosmos-engine"));
  }
}

TEST_F(RunStoreSchemaTest, AFailedUpgradeLeavesTheDatabaseAsItWas) {
  MakeVersion(1);
  Sql(path_, "ALTER TABLE runs ADD COLUMN error_message TEXT NULL");  // the second statement of the upgrade will fail
  const auto before = Sql(path_, "SELECT name, sql FROM sqlite_master");
  EXPECT_EQ(ErrorOf([&] { RunStore::Upgrade(path_); }).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Sql(path_, "SELECT name, sql FROM sqlite_master"), before);
  EXPECT_EQ(RunStore::Versions(path_).current, 1u);
}

TEST_F(RunStoreSchemaTest, MakesFoldersAndFilesThatOnlyTheUserMayRead) {
  const auto store = RunStore::Open(folder_ / "a/b/cosmos.db");
  store->PutRun(SomeRun("rs_1"));
  EXPECT_EQ(ModeOf(folder_ / "a"), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "a/b"), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "a/b/cosmos.db"), 0600u);
  EXPECT_EQ(ModeOf(folder_ / "a/b/cosmos.db-wal"), 0600u);
  EXPECT_THAT(Sql(folder_ / "a/b/cosmos.db", "PRAGMA journal_mode"), ElementsAre("wal"));
}

TEST_F(RunStoreSchemaTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(5000, 'x');
  for (const Error& error : {ErrorOf([&] { RunStore::Open(path_); }), ErrorOf([&] { RunStore::Upgrade(path_); }),
                             ErrorOf([&] { RunStore::Versions(path_); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.message(), StartsWith("'" + path_ + "' is not a database of cosmos-engine: "));
  }
}

TEST_F(RunStoreSchemaTest, RefusesTheDatabaseOfAnotherProgram) {
  Sql(path_, "CREATE TABLE moz_places (id INTEGER)");
  const Error error = ErrorOf([&] { RunStore::Open(path_); });
  EXPECT_EQ(error.message(), "'" + path_ + "' is not a database of cosmos-engine: it holds tables of another program");
  EXPECT_THAT(Sql(path_, "SELECT name FROM sqlite_master"), ElementsAre("moz_places"));
}

TEST_F(RunStoreSchemaTest, SaysWhyADatabaseCannotBeMade) {
  std::ofstream(path_) << "";
  const Error below_file = ErrorOf([&] { RunStore::Open(path_ + "/x.db"); });
  EXPECT_EQ(below_file.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(below_file.message(), AllOf(HasSubstr(path_ + "/x.db"), HasSubstr("Not a directory")));
  const Error unwritable = ErrorOf([&] { RunStore::Open("/proc/no-such-folder/x.db"); });
  EXPECT_EQ(unwritable.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(unwritable.message(), HasSubstr("/proc/no-such-folder"));
  const Error folder = ErrorOf([&] { RunStore::Open(folder_ / "."); });
  EXPECT_EQ(folder.code(), ErrorCode::kUnavailable);
}

TEST_F(RunStoreSchemaTest, SaysWhatSqliteSaid) {
  const auto store = RunStore::Open(path_);
  store->PutRun(SomeRun("rs_1"));
  Sql(path_, "DROP TABLE artifacts");
  ArtifactRecord artifact;
  artifact.run_id = "rs_1";
  const Error error = ErrorOf([&] { store->PutArtifact(&artifact); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(path_), HasSubstr("no such table: artifacts")));
}

TEST(DatabaseErrorTest, SaysWhatToDo) {
  const auto text = [](int code) {
    const Error error = store::DatabaseError("/d/c.db", code, "reason");
    return error.message() + "; " + error.hint();
  };
  EXPECT_EQ(text(SQLITE_FULL),
            "cannot use the database '/d/c.db': the disk is full (reason); free some space and try again");
  EXPECT_EQ(
      text(SQLITE_READONLY),
      "cannot use the database '/d/c.db': the file or its folder cannot be written (reason); fix its permissions, "
      "or name another database with --db or $COSMOS_DB");
  EXPECT_EQ(
      text(SQLITE_BUSY_SNAPSHOT),
      "cannot use the database '/d/c.db': another process has kept it locked for 10 s; look for a program that has "
      "the database open");
}

TEST_F(RunStoreSchemaTest, VersionsAndUpgradeOfAMissingDatabaseCreateNothing) {
  EXPECT_EQ(ErrorOf([&] { RunStore::Versions(path_); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(ErrorOf([&] { RunStore::Upgrade(path_); }).code(), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(RunStoreSchemaTest, BacksUpADatabaseInUse) {
  const auto store = RunStore::Open(path_);
  store->PutRun(SomeRun("rs_1"));
  const std::string copy = folder_ / "copy.db";
  RunStore::Backup(path_, copy);
  store->PutRun(SomeRun("rs_2"));
  EXPECT_EQ(ModeOf(copy), 0600u);
  EXPECT_EQ(ErrorOf([&] { RunStore::Backup(path_, copy); }).code(), ErrorCode::kConflict);
  EXPECT_TRUE(RunStore::Open(copy)->HasRun("rs_1"));
  EXPECT_FALSE(RunStore::Open(copy)->HasRun("rs_2"));
}

}  // namespace
}  // namespace cosmos
