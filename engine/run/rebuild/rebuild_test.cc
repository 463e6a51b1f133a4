#include "run/rebuild/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "run/rebuild/run_from_files.h"
#include "run/run_inputs.h"
#include "run/run_lock.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() {
    char name[] = "/tmp/cosmos-rebuild-XXXXXX";
    folder_ = fs::canonical(::mkdtemp(name));
    output_dir_ = folder_ / "outputs";
    store_ = RunStore::Open(folder_ / "runs.db");
  }
  ~RebuildTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  RunPaths Paths(const std::string& run_id) const { return RunPaths(output_dir_, run_id); }
  void Event(const std::string& run_id, const std::string& type, json data, const std::string& stage = "",
             int attempt = 1) {
    json event = {{"v", 1},       {"seq", ++seq_}, {"run_id", run_id}, {"time", "2026-11-23T13:46:42.017Z"},
                  {"type", type}, {"data", data}};
    if (!stage.empty()) event.update({{"stage", stage}, {"instance", ""}, {"attempt", attempt}});
    MakeFolders(Paths(run_id).folder());
    AppendToFile(Paths(run_id).journal(), event.dump() + "\n");
  }
  // As an engine before the events had records wrote it.
  void OldRun(const std::string& run_id) {
    Event(run_id, "run_started", {{"workflow", "w"}, {"stages", 1}});
    Event(run_id, "stage_started", {{"uses", "shell"}, {"target", "gpu1"}}, "a");
    Event(run_id, "job_submitted", {{"target", "gpu1"}, {"folder", "/jobs/a/1"}, {"pid", 7}}, "a");
    Event(run_id, "log_available", {{"path", "/o/a.log"}, {"offset", 0}, {"growing", false}}, "a");
    Event(run_id, "job_ended", {{"exit_status", 3}, {"kind", "exit_code"}}, "a");
    Event(run_id, "stage_failed", {{"failure", {{"kind", "exit_code"}, {"message", "it failed"}}}}, "a");
  }
  RebuildReport RebuildAll() { return Rebuild(RunFoldersBelow({output_dir_}), store_.get()); }

  fs::path folder_, output_dir_;
  std::unique_ptr<RunStore> store_;
  int seq_ = 0;
};

TEST_F(RebuildTest, EventsOfOlderEnginesAreEnough) {
  OldRun("rs_1");
  Event("rs_1", "run_finished", {{"status", "failed"}, {"failure", {{"kind", "exit_code"}, {"message", "it failed"}}}});
  EXPECT_THAT(RebuildAll().restored, ElementsAre("rs_1"));
  const RunRecord run = store_->GetRun("rs_1");
  EXPECT_EQ(run.workflow, "w");
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.failure_kind, "exit_code");
  EXPECT_EQ(run.error_message, "it failed");
  EXPECT_EQ(run.output_dir, output_dir_);
  EXPECT_EQ(run.started_at, 1795441602017);
  EXPECT_EQ(run.ended_at, 1795441602017);
  const std::vector<StageRecord> stages = store_->StagesOf("rs_1");
  ASSERT_THAT(stages, SizeIs(1));
  EXPECT_EQ(stages[0].uses, "shell");
  EXPECT_EQ(stages[0].target, "gpu1");
  EXPECT_EQ(stages[0].status, "failed");
  EXPECT_EQ(stages[0].log_path, "/o/a.log");
  const std::vector<JobRecord> jobs = store_->JobsOf("rs_1");
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0].folder, "/jobs/a/1");
  EXPECT_EQ(jobs[0].pid, 7);
  EXPECT_EQ(jobs[0].exit_status, 3);
}

TEST_F(RebuildTest, AnAttemptThatTheEngineLeftHasNotEnded) {
  Event("rs_1", "run_started", {{"workflow", "w"}, {"stages", 1}});
  Event("rs_1", "stage_started", {{"uses", "shell"}, {"target", "local"}}, "a");
  Event("rs_1", "stage_failed", {{"failure", {{"kind", "plugin_error"}, {"message", "the engine gave the stage up"}}}},
        "a");
  RebuildAll();
  EXPECT_EQ(store_->GetRun("rs_1").status, "running");
  EXPECT_EQ(store_->StagesOf("rs_1")[0].status, "running");
}

TEST_F(RebuildTest, ARetryOpensTheRunAgain) {
  OldRun("rs_1");
  Event("rs_1", "run_finished", {{"status", "failed"}, {"failure", {{"kind", "exit_code"}, {"message", "it failed"}}}});
  Event("rs_1", "run_started", {{"workflow", "w"}, {"stages", 1}});
  Event("rs_1", "stage_started", {{"uses", "shell"}, {"target", "gpu1"}}, "a", 2);
  RebuildAll();
  const RunRecord run = store_->GetRun("rs_1");
  EXPECT_EQ(run.status, "running");
  EXPECT_EQ(run.error_message, "");
  EXPECT_EQ(run.ended_at, 0);
  EXPECT_NE(run.retried_at, 0);
  EXPECT_THAT(store_->StagesOf("rs_1"), SizeIs(2));
}

TEST_F(RebuildTest, AContainerThatMayStillRunIsKnown) {
  Event("rs_1", "run_started", {{"workflow", "w"}, {"stages", 1}});
  for (const char* stage : {"runs", "ended"}) {
    Event("rs_1", "stage_started", {{"uses", "shell"}, {"target", "gpu1"}}, stage);
    Event("rs_1", "job_submitted",
          {{"target", "gpu1"},
           {"folder", "/w/jobs/1"},
           {"pid", 7},
           {"boot_id", "b"},
           {"pid_start_time", 99},
           {"container",
            {{"name", std::string("cosmos_") + stage}, {"engine", "podman"}, {"sudo", true}, {"image", "i:1"}}}},
          stage);
  }
  Event("rs_1", "job_ended", {{"exit_status", 0}}, "ended");
  RebuildAll();
  const std::vector<ContainerRecord> containers = store_->ContainersOf("rs_1");
  ASSERT_THAT(containers, SizeIs(2));
  EXPECT_EQ(containers[0].name, "cosmos_runs");
  EXPECT_EQ(containers[0].engine, "podman");
  EXPECT_TRUE(containers[0].sudo);
  EXPECT_EQ(containers[0].image, "i:1");
  EXPECT_EQ(containers[0].status, "running");
  EXPECT_EQ(containers[1].status, "removed");
  const std::vector<JobRecord> jobs = store_->JobsOf("rs_1");
  EXPECT_EQ(jobs[0].container, "cosmos_runs");
  EXPECT_EQ(jobs[0].boot_id, "b");
  EXPECT_EQ(jobs[0].pid_start_time, 99);
}

TEST_F(RebuildTest, AttemptsThatShareAJobAllHaveIt) {
  Event("rs_1", "run_started", {{"workflow", "w"}, {"stages", 2}});
  Event("rs_1", "stage_started", {{"uses", "shell"}, {"target", "gpu1"}}, "a");
  Event("rs_1", "job_submitted",
        {{"target", "gpu1"},
         {"folder", "/w/jobs/1"},
         {"pid", 7},
         {"members", {{{"instance", "x"}, {"attempt", 1}}, {{"instance", "y"}, {"attempt", 2}}}}},
        "a");
  RebuildAll();
  std::vector<JobRecord> jobs = store_->JobsOf("rs_1");
  ASSERT_THAT(jobs, SizeIs(3));
  EXPECT_EQ(jobs[1].instance, "x");
  EXPECT_EQ(jobs[2].attempt, 2);
  for (const JobRecord& job : jobs) {
    EXPECT_EQ(job.folder, "/w/jobs/1");
    EXPECT_EQ(job.status, "running");
  }
  Event("rs_1", "job_ended", {{"exit_status", 3}}, "a");
  RebuildAll();
  for (const JobRecord& job : store_->JobsOf("rs_1")) EXPECT_EQ(job.exit_status, 3);
}

TEST_F(RebuildTest, TwiceGivesTheSame) {
  OldRun("rs_1");
  OldRun("rs_2");
  EXPECT_THAT(RebuildAll().restored, ElementsAre("rs_1", "rs_2"));
  EXPECT_THAT(RebuildAll().restored, ElementsAre("rs_1", "rs_2"));
  EXPECT_THAT(store_->StagesOf("rs_1"), SizeIs(1));
  EXPECT_THAT(store_->JobsOf("rs_2"), SizeIs(1));
}

TEST_F(RebuildTest, DamagedFilesLoseWhatTheyHeldAndNothingElse) {
  OldRun("rs_1");
  WriteFile(Paths("rs_1").inputs(), "{\"v\": 1, ");
  AppendToFile(Paths("rs_1").journal(), std::string(100, '\0') + "\nnot JSON\n");
  Event("rs_1", "run_finished", {{"status", "failed"}});
  OldRun("rs_2");
  MakeFolders(Paths("rs_3").folder());
  WriteFile(Paths("rs_3").journal(), "nothing\n");
  const RebuildReport report = RebuildAll();
  EXPECT_THAT(report.restored, testing::UnorderedElementsAre("rs_1", "rs_2"));
  ASSERT_THAT(report.left_out, SizeIs(1));
  EXPECT_EQ(report.left_out[0].folder, Paths("rs_3").folder());
  EXPECT_EQ(store_->GetRun("rs_1").status, "failed");
}

TEST_F(RebuildTest, FoldersWithoutRunsAreAnError) {
  EXPECT_THROW(RunFoldersBelow({folder_ / "nowhere"}), Error);
  OldRun("rs_1");
  EXPECT_THAT(RunFoldersBelow({output_dir_ / ".runs"}), ElementsAre(Paths("rs_1").folder()));
}

TEST_F(RebuildTest, ACheckComparesRecordsAndFiles) {
  OldRun("rs_1");
  OldRun("rs_2");
  RebuildAll();
  EXPECT_TRUE(CheckStore(folder_ / "runs.db", {}).ok());
  fs::remove_all(Paths("rs_1").folder());
  OldRun("rs_3");
  const StoreCheck check = CheckStore(folder_ / "runs.db", {});
  EXPECT_THAT(check.damage, IsEmpty());
  EXPECT_EQ(check.runs, 2u);
  ASSERT_THAT(check.without_files, SizeIs(1));
  EXPECT_EQ(check.without_files[0].run_id, "rs_1");
  EXPECT_THAT(check.without_records, ElementsAre(Paths("rs_3").folder()));
}

}  // namespace
}  // namespace cosmos
