#include "store/record_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "store/run_store.h"
#include "store/store_test_support.h"

namespace cosmos {
namespace {

using ::testing::HasSubstr;

class RecordCheckTest : public ::testing::Test {
 protected:
  RecordCheckTest() {
    store_ = RunStore::Open(path_);
    RunRecord run;
    run.run_id = "rs_1";
    run.workflow = "w";
    run.output_dir = "/out";
    run.prompt_name = "city";
    run.status = "failed";
    store_->PutRun(run);
    StageRecord stage;
    stage.run_id = "rs_1";
    stage.stage = "render";
    stage.uses = "shell";
    stage.target = "gpu1";
    stage.status = "failed";
    store_->PutStage(&stage);
    JobRecord job;
    job.run_id = "rs_1";
    job.stage = "render";
    job.target = "gpu1";
    job.folder = "/home/anna/.cosmos/jobs/rs_1/render/1";
    job.status = "ended";
    store_->PutJob(&job);
    ContainerRecord container;
    container.run_id = "rs_1";
    container.stage = "render";
    container.target = "gpu1";
    container.engine = "docker";
    container.name = "cosmos_rs_1_render_1";
    container.image = "cosmos";
    container.status = "exited";
    store_->PutContainer(&container);
  }

  // What reading says once `column` of `table` was edited to `value`; the value is put back.
  std::string Edited(const std::string& table, const std::string& column, const std::string& value) {
    const std::string was = Sql(path_, "SELECT " + column + " FROM " + table).at(0);
    const std::string quoted = was == "NULL" ? was : "'" + was + "'";
    Sql(path_, "PRAGMA foreign_keys = OFF; UPDATE " + table + " SET " + column + " = '" + value + "'");
    std::string message;
    try {
      RunQuery all;
      for (const RunRecord& run : store_->FindRuns(all)) {
        store_->StagesOf(run.run_id);
        store_->JobsOf(run.run_id);
        store_->ContainersOf(run.run_id);
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
      EXPECT_THAT(error.hint(), HasSubstr("db rebuild"));
      message = error.message();
    }
    Sql(path_, "UPDATE " + table + " SET " + column + " = " + quoted);
    return message;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "runs.db";
  std::unique_ptr<RunStore> store_;
};

TEST_F(RecordCheckTest, ARecordAsTheEngineWritesItIsGood) {
  EXPECT_EQ(Edited("runs", "prompt_name", "town"), "");
  EXPECT_EQ(Edited("jobs", "folder", "/out/.runs/rs_1/jobs/render/2"), "");
}

TEST_F(RecordCheckTest, WhatAnEditorPutThereIsRefused) {
  EXPECT_EQ(Edited("runs", "run_id", "../.."),
            "found '../..' as the run_id of a run, expected a name of the characters A-Z a-z 0-9 . _ -");
  EXPECT_EQ(Edited("jobs", "folder", "/"),
            "found '/' as the folder of a job of run rs_1, expected an absolute path below a folder `jobs`, "
            "without `..`");
  for (const char* folder : {"", "jobs/a/1", "/etc", "/jobs/../../etc", "/home/anna/.cosmos/jobs/rs_1/.."}) {
    EXPECT_NE(Edited("jobs", "folder", folder), "") << folder;
  }
  for (const char* folder : {"relative", "/out/../..", ""})
    EXPECT_NE(Edited("runs", "output_dir", folder), "") << folder;
  for (const char* name : {"a/b", "..", "a b", "$(id)", "-n;"}) {
    EXPECT_NE(Edited("runs", "prompt_name", name), "") << name;
    EXPECT_NE(Edited("stage_executions", "stage", name), "") << name;
    EXPECT_NE(Edited("stage_executions", "instance", name), "") << name;
    EXPECT_NE(Edited("stage_executions", "target", name), "") << name;
    EXPECT_NE(Edited("stage_executions", "operation_id", name), "") << name;
  }
  EXPECT_NE(Edited("stage_executions", "log_path", "/out/../etc/passwd"), "");
  EXPECT_NE(Edited("containers", "engine", "sh -c"), "");
  EXPECT_NE(Edited("containers", "name", "their-database"), "");
  EXPECT_NE(Edited("containers", "name", "cosmos_x --all"), "");
  EXPECT_NE(Edited("containers", "image", "--privileged"), "");
}

}  // namespace
}  // namespace cosmos
