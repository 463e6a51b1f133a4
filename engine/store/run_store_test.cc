#include "store/run_store.h"

#include <chrono>

#include "store/store_test_support.h"

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RunStoreTest : public testing::Test {
 protected:
  std::vector<std::string> IdsOf(const RunQuery& query) {
    std::vector<std::string> ids;
    for (const RunRecord& run : store_->FindRuns(query)) ids.push_back(run.run_id);
    return ids;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "cosmos.db";
  std::unique_ptr<RunStore> store_ = RunStore::Open(path_);
};

TEST_F(RunStoreTest, KeepsEveryFieldOfARun) {
  RunRecord run = SomeRun("rs_1");
  run.prompt_id = "ps_1";
  run.failure_kind = "exit_code";
  run.ended_at = 2000;
  run.log_path = "outputs/a/logs/run_rs_1.log";
  run.error_message = "stage 'render' exited with 3";
  store_->PutRun(run);
  store_.reset();
  const RunRecord kept = RunStore::Open(path_)->GetRun("rs_1");
  EXPECT_EQ(kept.workflow, run.workflow);
  EXPECT_EQ(kept.workflow_path, run.workflow_path);
  EXPECT_EQ(kept.output_dir, run.output_dir);
  EXPECT_EQ(kept.prompt_id, run.prompt_id);
  EXPECT_EQ(kept.prompt_name, run.prompt_name);
  EXPECT_EQ(kept.status, run.status);
  EXPECT_EQ(kept.failure_kind, run.failure_kind);
  EXPECT_EQ(kept.started_at, run.started_at);
  EXPECT_EQ(kept.ended_at, run.ended_at);
  EXPECT_EQ(kept.log_path, run.log_path);
  EXPECT_EQ(kept.error_message, run.error_message);
}

TEST_F(RunStoreTest, PutRunUpdatesTheRunWithTheSameId) {
  store_->PutRun(SomeRun("rs_1"));
  RunRecord run = SomeRun("rs_1");
  run.status = "succeeded";
  store_->PutRun(run);
  EXPECT_EQ(store_->GetRun("rs_1").status, "succeeded");
  EXPECT_THAT(Sql(path_, "SELECT count(*) FROM runs"), ElementsAre("1"));
}

TEST_F(RunStoreTest, KeepsEmptyTextsAndTimesAsNull) {
  store_->PutRun(SomeRun("rs_1"));
  EXPECT_THAT(Sql(path_, "SELECT prompt_id, failure_kind, ended_at, log_path, error_message FROM runs"),
              ElementsAre("NULL|NULL|NULL|NULL|NULL"));
  EXPECT_EQ(store_->GetRun("rs_1").ended_at, 0);
}

TEST_F(RunStoreTest, TellsOfARunThatIsNotThere) {
  EXPECT_FALSE(store_->HasRun("rs_1"));
  for (const Error& error :
       {ErrorOf([&] { store_->GetRun("rs_1"); }), ErrorOf([&] { store_->SetRunLogPath("rs_1", "a.log"); }),
        ErrorOf([&] { store_->SetRunError("rs_1", "killed", "gone"); }), ErrorOf([&] {
          StageRecord stage = SomeStage("rs_1", "render");
          store_->PutStage(&stage);
        })}) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(error.message(), "there is no run 'rs_1'");
  }
}

TEST_F(RunStoreTest, SetRunLogPathRefusesAPathLongerThanItsColumn) {
  store_->PutRun(SomeRun("rs_1"));
  std::string path;
  for (int i = 0; i < 500; ++i) path += "ü";
  store_->SetRunLogPath("rs_1", path);
  EXPECT_EQ(store_->GetRun("rs_1").log_path, path);
  const Error error = ErrorOf([&] { store_->SetRunLogPath("rs_1", path + "x"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("the log path has 501 characters, expected at most 500"));
  EXPECT_EQ(store_->GetRun("rs_1").log_path, path);
}

TEST_F(RunStoreTest, SetRunErrorCutsAtACharacter) {
  store_->PutRun(SomeRun("rs_1"));
  store_->SetRunLogPath("rs_1", "a.log");
  std::string text, expected;
  for (int i = 0; i < 5000; ++i) text += i % 2 == 0 ? "é" : "🎬";
  for (int i = 0; i < 1000; ++i) expected += i % 2 == 0 ? "é" : "🎬";
  store_->SetRunError("rs_1", "exit_code", text);
  const RunRecord run = store_->GetRun("rs_1");
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.failure_kind, "exit_code");
  EXPECT_EQ(run.error_message, expected);
  EXPECT_EQ(run.log_path, "a.log");
  EXPECT_THAT(Sql(path_, "SELECT length(error_message) FROM runs"), ElementsAre("1000"));
}

TEST_F(RunStoreTest, StageIsFoundByItsKeyWhenItsIdIsNotKnown) {
  store_->PutRun(SomeRun("rs_1"));
  StageRecord first = SomeStage("rs_1", "render");
  store_->PutStage(&first);
  EXPECT_GT(first.id, 0u);
  StageRecord again = SomeStage("rs_1", "render");
  again.status = "succeeded";
  again.outputs = R"({"video":"a.mp4"})";
  store_->PutStage(&again);
  EXPECT_EQ(again.id, first.id);
  StageRecord second_attempt = SomeStage("rs_1", "render");
  second_attempt.attempt = 2;
  store_->PutStage(&second_attempt);
  StageRecord instance = SomeStage("rs_1", "render");
  instance.instance = "7";
  store_->PutStage(&instance);

  const auto stages = store_->StagesOf("rs_1");
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[0].status, "succeeded");
  EXPECT_EQ(stages[0].outputs, R"({"video":"a.mp4"})");
  EXPECT_EQ(stages[1].attempt, 2);
  EXPECT_EQ(stages[2].instance, "7");
  EXPECT_EQ(stages[2].run_id, "rs_1");
}

TEST_F(RunStoreTest, StagesComeInTheOrderInWhichTheyWereKept) {
  store_->PutRun(SomeRun("rs_1"));
  store_->PutRun(SomeRun("rs_2"));
  std::vector<StageRecord> kept;
  for (const std::string name : {"z", "a", "m"}) {
    kept.push_back(SomeStage("rs_1", name));
    store_->PutStage(&kept.back());
  }
  StageRecord other = SomeStage("rs_2", "b");
  store_->PutStage(&other);
  store_->PutStage(&kept[0]);
  std::vector<std::string> names;
  for (const StageRecord& stage : store_->StagesOf("rs_1")) names.push_back(stage.stage);
  EXPECT_THAT(names, ElementsAre("z", "a", "m"));
}

TEST_F(RunStoreTest, KeepsTheHandleOfAJob) {
  store_->PutRun(SomeRun("rs_1"));
  JobRecord job;
  job.run_id = "rs_1";
  job.stage = "render";
  job.target = "local";
  job.folder = "/srv/.runs/rs_1/jobs/render/1";
  job.pid = 4711;
  job.pid_start_time = 123456789;
  job.boot_id = "b00t";
  job.status = "running";
  job.submitted_at = 1000;
  store_->PutJob(&job);
  job.status = "ended";
  job.exit_status = 0;
  store_->PutJob(&job);
  const auto jobs = store_->JobsOf("rs_1");
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].id, job.id);
  EXPECT_EQ(jobs[0].folder, job.folder);
  EXPECT_EQ(jobs[0].pid, 4711);
  EXPECT_EQ(jobs[0].pid_start_time, 123456789);
  EXPECT_EQ(jobs[0].boot_id, "b00t");
  EXPECT_EQ(jobs[0].status, "ended");
  EXPECT_EQ(jobs[0].exit_status, 0);
  EXPECT_EQ(jobs[0].submitted_at, 1000);
  EXPECT_EQ(jobs[0].ended_at, 0);
}

TEST_F(RunStoreTest, ArtifactReplacesTheOneAtTheSamePath) {
  store_->PutRun(SomeRun("rs_1"));
  for (const std::int64_t size : {10, 20}) {
    ArtifactRecord artifact;
    artifact.run_id = "rs_1";
    artifact.stage = "render";
    artifact.name = "video";
    artifact.path = "/outputs/a.mp4";
    artifact.size = size;
    artifact.sha256 = "abc";
    artifact.files = size / 10;
    store_->PutArtifact(&artifact);
  }
  const auto artifacts = store_->ArtifactsOf("rs_1");
  ASSERT_EQ(artifacts.size(), 1u);
  EXPECT_EQ(artifacts[0].size, 20);
  EXPECT_EQ(artifacts[0].name, "video");
  EXPECT_EQ(artifacts[0].sha256, "abc");
  EXPECT_EQ(artifacts[0].files, 2);
}

TEST_F(RunStoreTest, PromptKeepsItsFirstTextAndGetsAParentOnce) {
  store_->PutPrompt({"ps_1", "", "a city $(rm -rf /) 'quoted'\nat night 🌃", "", 5});
  store_->PutPrompt({"ps_1", "ps_0", "another text", "", 6});
  store_->PutPrompt({"ps_1", "ps_x", "another text", "", 7});
  const PromptRecord prompt = store_->GetPrompt("ps_1");
  EXPECT_EQ(prompt.text, "a city $(rm -rf /) 'quoted'\nat night 🌃");
  EXPECT_EQ(prompt.created_at, 5);
  EXPECT_EQ(prompt.parent_id, "ps_0");
  EXPECT_EQ(ErrorOf([&] { store_->GetPrompt("ps_2"); }).code(), ErrorCode::kNotFound);
}

TEST_F(RunStoreTest, FindsRunsNewestFirstByStatusWorkflowAndLimit) {
  store_->PutRun(SomeRun("rs_old", 1000));
  store_->PutRun(SomeRun("rs_new", 3000));
  RunRecord other = SomeRun("rs_other", 2000);
  other.workflow = "forest";
  other.status = "failed";
  store_->PutRun(other);
  store_->PutRun(SomeRun("rs_same_time", 3000));

  EXPECT_THAT(IdsOf({}), ElementsAre("rs_same_time", "rs_new", "rs_other", "rs_old"));
  EXPECT_THAT(IdsOf({"failed", "", "", 20}), ElementsAre("rs_other"));
  EXPECT_THAT(IdsOf({"", "city-at-night", "", 2}), ElementsAre("rs_same_time", "rs_new"));
  EXPECT_THAT(IdsOf({"failed", "city-at-night", "", 20}), ElementsAre());
}

TEST_F(RunStoreTest, SearchLooksInNamesPromptAndErrorAndTakesWildcardsLiterally) {
  store_->PutPrompt({"ps_1", "", "100% rain_drops", "", 5});
  RunRecord with_prompt = SomeRun("rs_prompt", 1);
  with_prompt.prompt_id = "ps_1";
  store_->PutRun(with_prompt);
  RunRecord failed = SomeRun("rs_failed", 2);
  failed.error_message = "C:\\temp is full";
  store_->PutRun(failed);
  RunRecord forest = SomeRun("rs_forest", 3);
  forest.workflow = "forest";
  store_->PutRun(forest);

  EXPECT_THAT(IdsOf({"", "", "0% rain", 20}), ElementsAre("rs_prompt"));
  EXPECT_THAT(IdsOf({"", "", "rain_d", 20}), ElementsAre("rs_prompt"));
  EXPECT_THAT(IdsOf({"", "", "rain%drops", 20}), ElementsAre());
  EXPECT_THAT(IdsOf({"", "", "100_", 20}), ElementsAre());
  EXPECT_THAT(IdsOf({"", "", "C:\\temp", 20}), ElementsAre("rs_failed"));
  EXPECT_THAT(IdsOf({"", "", "FOREST", 20}), ElementsAre("rs_forest"));
  EXPECT_THAT(IdsOf({"", "", "'; DROP TABLE runs; --", 20}), ElementsAre());
}

TEST_F(RunStoreTest, FindsRunIdsByPrefixNewestFirst) {
  store_->PutRun(SomeRun("rs_ab1", 1000));
  store_->PutRun(SomeRun("rs_ab2", 2000));
  store_->PutRun(SomeRun("rs_b", 3000));
  EXPECT_THAT(store_->RunIdsWithPrefix("rs_ab"), ElementsAre("rs_ab2", "rs_ab1"));
  EXPECT_THAT(store_->RunIdsWithPrefix("rs_ab1"), ElementsAre("rs_ab1"));
  EXPECT_THAT(store_->RunIdsWithPrefix("rs%"), ElementsAre());
  for (int i = 0; i < 12; ++i) store_->PutRun(SomeRun("rs_c" + std::to_string(i), 4000 + i));
  EXPECT_EQ(store_->RunIdsWithPrefix("").size(), 10u);
}

TEST_F(RunStoreTest, TransactionThatThrowsLeavesNothing) {
  store_->PutRun(SomeRun("rs_1"));
  StageRecord stage = SomeStage("rs_1", "render");
  EXPECT_THROW(store_->InTransaction([&] {
    store_->PutStage(&stage);
    store_->SetRunError("rs_1", "killed", "gone");
    EXPECT_EQ(store_->StagesOf("rs_1").size(), 1u);
    throw std::runtime_error("stop");
  }),
               std::runtime_error);
  EXPECT_EQ(store_->StagesOf("rs_1").size(), 0u);
  EXPECT_EQ(store_->GetRun("rs_1").status, "running");
  // The record kept the id that it got in vain; it is put all the same.
  store_->PutStage(&stage);
  EXPECT_EQ(store_->StagesOf("rs_1").size(), 1u);
}

TEST_F(RunStoreTest, TransactionGoesOnAfterACallInItFailed) {
  store_->InTransaction([&] {
    store_->PutRun(SomeRun("rs_1"));
    EXPECT_THROW(store_->GetRun("rs_2"), Error);
  });
  EXPECT_TRUE(store_->HasRun("rs_1"));
}

TEST_F(RunStoreTest, TransactionInsideATransactionIsADefect) {
  const Error error = ErrorOf([&] { store_->InTransaction([&] { store_->InTransaction([] {}); }); });
  EXPECT_EQ(error.code(), ErrorCode::kInternal);
}

TEST_F(RunStoreTest, ThousandsOfRecordsInOneTransactionAreQuick) {
  constexpr int kStages = 5000;
  std::vector<StageRecord> stages;
  store_->PutRun(SomeRun("rs_1"));
  for (int i = 0; i < kStages; ++i) stages.push_back(SomeStage("rs_1", "stage-" + std::to_string(i)));
  const auto start = std::chrono::steady_clock::now();
  store_->InTransaction([&] {
    for (StageRecord& stage : stages) store_->PutStage(&stage);
    for (StageRecord& stage : stages) store_->PutStage(&stage);
  });
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
  RecordProperty("microseconds_a_put", std::to_string(spent.count() / (2 * kStages)));
  EXPECT_LT(spent.count() / (2 * kStages), 500) << "microseconds a put";
  EXPECT_EQ(store_->StagesOf("rs_1").size(), static_cast<std::size_t>(kStages));
}

TEST_F(RunStoreTest, KeepsTheNewestTimingsOfEachKey) {
  const auto keep = [&](const std::string& key, int n) {
    TimingsRecord timings;
    timings.key = key;
    timings.timings = std::to_string(n);
    timings.run_id = "rs_gone";  // which has no record (any more)
    timings.ended_at = n;
    store_->KeepTimings(&timings);
  };
  keep("{\"model\":\"b\"}", 7);
  for (int n = 1; n <= RunStore::kMostTimings + 3; ++n) keep("{\"model\":\"a\"}", n);
  const std::vector<TimingsRecord> newest = store_->TimingsOf("{\"model\":\"a\"}", 2);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].timings, std::to_string(RunStore::kMostTimings + 3));
  EXPECT_EQ(newest[0].run_id, "rs_gone");
  EXPECT_EQ(newest[1].timings, std::to_string(RunStore::kMostTimings + 2));
  const std::vector<TimingsRecord> all = store_->TimingsOf("{\"model\":\"a\"}", 100);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(RunStore::kMostTimings));
  EXPECT_EQ(all.back().timings, "4");
  EXPECT_EQ(store_->TimingsOf("{\"model\":\"b\"}", 5).size(), 1u);
  EXPECT_TRUE(store_->TimingsOf("{}", 5).empty());
}

TEST_F(RunStoreTest, SetsHowFarAnAttemptIsAndNothingElseOfIt) {
  store_->PutRun(SomeRun("rs_1"));
  StageRecord stage = SomeStage("rs_1", "render");
  store_->PutStage(&stage);
  StageRecord progress;
  progress.run_id = "rs_1";
  progress.stage = "render";
  progress.progress = "{\"done\":1}";
  store_->SetStageProgress(progress);
  const StageRecord kept = store_->StagesOf("rs_1").at(0);
  EXPECT_EQ(kept.progress, "{\"done\":1}");
  EXPECT_EQ(kept.uses, "shell");
  EXPECT_EQ(kept.status, "running");
  progress.attempt = 2;  // of which there is no record
  store_->SetStageProgress(progress);
  EXPECT_EQ(store_->StagesOf("rs_1").size(), 1u);
}

TEST_F(RunStoreTest, GpuClaimsComeByPriorityThenInTheOrderOfTheRequests) {
  store_->PutRun(SomeRun("rs_1"));
  store_->PutRun(SomeRun("rs_2"));
  const auto claim = [&](const std::string& run_id, const std::string& stage, int priority) {
    GpuClaimRecord record;
    record.run_id = run_id;
    record.stage = stage;
    record.target = "gpu1";
    record.host = "me@gpu1";
    record.gpus = 2;
    record.priority = priority;
    record.requested_at = 7;
    store_->PutGpuClaim(&record);
    return record;
  };
  GpuClaimRecord first = claim("rs_1", "a", 0);
  claim("rs_1", "b", 0);
  claim("rs_2", "c", 5);
  const auto order = [&] {
    std::string stages;
    for (const GpuClaimRecord& record : store_->GpuClaims()) stages += record.stage;
    return stages;
  };
  EXPECT_EQ(order(), "cab");

  first.devices = "[0,1]";
  first.granted_at = 9;
  store_->PutGpuClaim(&first);
  const GpuClaimRecord kept = store_->GpuClaims().at(1);
  EXPECT_EQ(kept.id, first.id);
  EXPECT_EQ(kept.host, "me@gpu1");
  EXPECT_EQ(kept.gpus, 2);
  EXPECT_EQ(kept.devices, "[0,1]");
  EXPECT_EQ(kept.reason, "");
  EXPECT_EQ(kept.requested_at, 7);
  EXPECT_EQ(kept.granted_at, 9);

  store_->DropGpuClaim(first.id);
  EXPECT_EQ(order(), "cb");
  store_->DropGpuClaimsOf("rs_2");
  EXPECT_EQ(order(), "b");
}

TEST_F(RunStoreTest, KeepsWhatWasMeasuredOfEachGpu) {
  store_->PutRun(SomeRun("rs_1"));
  GpuUsageRecord usage;
  usage.run_id = "rs_1";
  usage.stage = "render";
  usage.gpu = 3;
  store_->PutGpuUsage(&usage);
  const GpuUsageRecord unknown = store_->GpuUsagesOf("rs_1").at(0);
  EXPECT_EQ(unknown.peak_memory, -1);
  EXPECT_EQ(unknown.energy, -1);

  GpuUsageRecord again = usage;
  again.id = 0;
  again.uuid = "GPU-1";
  again.peak_memory = 0;
  again.mean_utilization = 0.25;
  again.energy = 3600;
  again.seconds = 12.5;
  again.samples = 4;
  store_->PutGpuUsage(&again);
  again.id = 0;
  again.gpu = 4;
  store_->PutGpuUsage(&again);
  const std::vector<GpuUsageRecord> kept = store_->GpuUsagesOf("rs_1");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].gpu, 3);
  EXPECT_EQ(kept[0].uuid, "GPU-1");
  EXPECT_EQ(kept[0].peak_memory, 0);
  EXPECT_EQ(kept[0].mean_utilization, 0.25);
  EXPECT_EQ(kept[0].peak_utilization, -1);
  EXPECT_EQ(kept[0].energy, 3600);
  EXPECT_EQ(kept[0].seconds, 12.5);
  EXPECT_EQ(kept[0].samples, 4);
}

}  // namespace
}  // namespace cosmos
