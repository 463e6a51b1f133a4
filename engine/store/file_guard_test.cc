// A database that is taken away, replaced or damaged while a store has it open.
#include <fstream>
#include <functional>

#include "store/store_test_support.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// `text` over what the file at `path` holds from `offset` on.
void Overwrite(const std::string& path, std::int64_t offset, const std::string& text) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file << text;
}

class FileGuardTest : public ::testing::Test {
 protected:
  FileGuardTest() {
    // Closed once, so that its content is in the file itself and not only in the log of changes.
    RunStore::Open(path_)->PutRun(SomeRun("rs_before"));
    store_ = RunStore::Open(path_);
    store_->PutRun(SomeRun("rs_1"));
  }
  Error ErrorOfWrite() {
    return ErrorOf([&] { store_->SetRunLogPath("rs_1", "a.log"); });
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "cosmos.db";
  std::unique_ptr<RunStore> store_;
};

TEST_F(FileGuardTest, AnUntouchedDatabaseIsNotSuspected) {
  for (int i = 0; i < 300; ++i) store_->PutRun(SomeRun("rs_" + std::to_string(i)));
  Sql(path_, "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  store_->PutRun(SomeRun("rs_1"));
  Sql(path_, "DELETE FROM runs WHERE run_id <> 'rs_1'; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  store_->PutRun(SomeRun("rs_1"));
  store_->ConfirmSaved("rs_1");
  EXPECT_THAT(RunStore::FindDamage(path_), IsEmpty());
}

TEST_F(FileGuardTest, ARemovedDatabaseIsNoticedByTheNextWrite) {
  fs::remove(path_);
  const Error error = ErrorOfWrite();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.message(), "the database '" + path_ + "' was removed while it was in use");
  EXPECT_THAT(error.hint(), HasSubstr("cosmos-engine db rebuild"));
}

TEST_F(FileGuardTest, AReplacedDatabaseIsNoticedByTheNextWrite) {
  RunStore::Open(folder_ / "other.db")->PutRun(SomeRun("rs_1"));
  fs::rename(folder_ / "other.db", path_);
  EXPECT_THAT(ErrorOfWrite().message(), HasSubstr("was replaced by another file"));
}

TEST_F(FileGuardTest, ARemovedFolderIsNoticedByTheNextWrite) {
  const TemporaryFolder outer;
  const auto store = RunStore::Open(outer / "deep/cosmos.db");
  store->PutRun(SomeRun("rs_1"));
  fs::remove_all(outer / "deep");
  EXPECT_THAT(ErrorOf([&] { store->PutRun(SomeRun("rs_2")); }).message(), HasSubstr("was removed"));
}

TEST_F(FileGuardTest, ARemovedLogOfChangesIsNoticedByTheNextWrite) {
  fs::remove(path_ + "-wal");
  EXPECT_THAT(ErrorOfWrite().message(), HasSubstr("cosmos.db-wal'"));
}

TEST_F(FileGuardTest, AnEmptiedOrOverwrittenDatabaseIsNoticedByTheNextWrite) {
  Overwrite(path_, 0, std::string(100, '#'));
  EXPECT_THAT(ErrorOfWrite().message(), HasSubstr("was overwritten"));
  fs::resize_file(path_, 0);
  EXPECT_THAT(ErrorOfWrite().message(), AnyOf(HasSubstr("was emptied"), HasSubstr("not a database")));
}

TEST_F(FileGuardTest, ATruncatedDatabaseIsNoticedByTheNextWrite) {
  fs::resize_file(path_, fs::file_size(path_) / 2);
  const Error error = ErrorOfWrite();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.hint(), HasSubstr("cosmos-engine db rebuild"));
}

TEST_F(FileGuardTest, DamageInTheMiddleIsFoundWhenTheEndIsConfirmed) {
  store_->ConfirmSaved("rs_1");
  const auto size = static_cast<std::int64_t>(fs::file_size(path_));
  for (std::int64_t at = 8192; at < size; at += 4096) Overwrite(path_, at, std::string(64, '#'));
  EXPECT_THAT(RunStore::FindDamage(path_), Not(IsEmpty()));
  const Error error = ErrorOf([&] { store_->ConfirmSaved("rs_1"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.hint(), HasSubstr("cosmos-engine db rebuild"));
}

TEST_F(FileGuardTest, RecordsWithoutTheirRunAreDamage) {
  store_.reset();
  StageRecord stage = SomeStage("rs_before", "a");
  RunStore::Open(path_)->PutStage(&stage);
  Sql(path_, "PRAGMA foreign_keys = OFF; DELETE FROM runs WHERE run_id = 'rs_before'");
  EXPECT_THAT(RunStore::FindDamage(path_), testing::ElementsAre(HasSubstr("stage_executions")));
}

}  // namespace
}  // namespace cosmos
