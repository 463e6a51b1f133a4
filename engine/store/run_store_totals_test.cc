#include "store/run_store.h"

#include <map>

#include "store/store_test_support.h"

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RunStoreTotalsTest : public testing::Test {
 protected:
  void Run(const std::string& run_id, const std::string& prompt_id = "", const std::string& status = "succeeded",
           std::int64_t milliseconds = 500) {
    RunRecord run = SomeRun(run_id);
    run.prompt_id = prompt_id;
    run.status = status;
    if (milliseconds >= 0) run.ended_at = run.started_at + milliseconds;
    store_->PutRun(run);
  }
  void Stage(const std::string& run_id, const std::string& stage, const std::string& status, std::int64_t started_at,
             std::int64_t ended_at, const std::string& kind = "") {
    StageRecord record = SomeStage(run_id, stage);
    record.status = status;
    record.failure_kind = kind;
    record.started_at = started_at;
    record.ended_at = ended_at;
    store_->PutStage(&record);
  }
  static std::vector<std::string> Words(const std::vector<TotalsRecord>& totals) {
    std::vector<std::string> words;
    for (const TotalsRecord& one : totals) {
      words.push_back(one.uses + "|" + one.status + "|" + one.failure_kind + "|" + std::to_string(one.bound) + "|" +
                      std::to_string(one.count) + "|" + std::to_string(static_cast<int>(one.seconds * 1000)));
    }
    return words;
  }
  std::vector<std::string> Prompts() { return Sql(path_, "SELECT prompt_id FROM prompts ORDER BY 1"); }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "cosmos.db";
  std::unique_ptr<RunStore> store_ = RunStore::Open(path_);
};

TEST_F(RunStoreTotalsTest, CountWhatIsAlike) {
  EXPECT_THAT(store_->RunTotals(), IsEmpty());
  EXPECT_THAT(store_->AttemptTotals(), IsEmpty());
  Run("rs_1");
  Run("rs_2");
  Run("rs_3", "", "failed", 61000);
  Run("rs_4", "", "running", -1);
  EXPECT_THAT(Words(store_->RunTotals()),
              ElementsAre("|failed||3|1|61000", "|running||-1|1|0", "|succeeded||0|2|1000"));
  Stage("rs_1", "a", "failed", 1000, 3000, "cuda_oom");
  Stage("rs_1", "b", "failed", 1000, 4000, "cuda_oom");
  Stage("rs_1", "c", "skipped", 0, 5000);
  EXPECT_THAT(Words(store_->AttemptTotals()), ElementsAre("shell|failed|cuda_oom|1|2|5000", "shell|skipped||-1|1|0"));
}

TEST_F(RunStoreTotalsTest, TellDurationsApartByTheirBounds) {
  for (int i = 0; i < kDurationBoundCount; ++i) {
    const std::int64_t bound = kDurationBounds[i] * 1000;
    Stage((Run("rs_" + std::to_string(i)), "rs_" + std::to_string(i)), "at", "succeeded", 1, 1 + bound);
    Stage("rs_" + std::to_string(i), "over", "failed", 1, 2 + bound);
  }
  const std::vector<std::string> before = Words(store_->AttemptTotals());
  std::map<std::pair<std::string, int>, std::int64_t> counts;
  for (const TotalsRecord& one : store_->AttemptTotals()) counts[{one.status, one.bound}] = one.count;
  for (int i = 0; i < kDurationBoundCount; ++i) {
    EXPECT_EQ((counts[{"succeeded", i}]), 1) << i;
    EXPECT_EQ((counts[{"failed", i + 1}]), 1) << i;
  }
  for (int i = 0; i < kDurationBoundCount; ++i) store_->DeleteRun("rs_" + std::to_string(i));
  std::vector<std::string> after;
  for (const std::string& words : Words(store_->ForgottenTotals())) {
    if (words[0] != '|') after.push_back(words);
  }
  EXPECT_THAT(after, testing::UnorderedElementsAreArray(before)) << "what is forgotten is told apart by other bounds";
}

TEST_F(RunStoreTotalsTest, ARunIsForgottenWithAllThatBelongsToIt) {
  for (const char* run_id : {"rs_1", "rs_2"}) {
    Run(run_id);
    Stage(run_id, "a", "succeeded", 1, 2);
    JobRecord job;
    ArtifactRecord artifact;
    ContainerRecord container;
    job.run_id = artifact.run_id = container.run_id = run_id;
    job.folder = std::string("/home/anna/.cosmos/jobs/") + run_id + "/a/1";
    container.engine = "docker";
    container.name = "cosmos_a_1";
    store_->PutJob(&job);
    store_->PutArtifact(&artifact);
    store_->PutContainer(&container);
  }
  store_->DeleteRun("rs_1");
  store_->DeleteRun("rs_1");
  EXPECT_FALSE(store_->HasRun("rs_1"));
  for (const char* table : {"stage_executions", "jobs", "artifacts", "containers"}) {
    EXPECT_THAT(Sql(path_, std::string("SELECT run_id FROM ") + table), ElementsAre("rs_2"));
  }
}

TEST_F(RunStoreTotalsTest, WhatIsForgottenStillCounts) {
  Run("rs_1");
  Run("rs_2");
  Run("rs_3", "", "failed", 61000);
  Stage("rs_1", "a", "failed", 1000, 3000, "cuda_oom");
  Stage("rs_2", "a", "failed", 1000, 4000, "cuda_oom");
  Stage("rs_2", "b", "skipped", 0, 5000);
  EXPECT_THAT(store_->ForgottenTotals(), IsEmpty());
  for (const char* run_id : {"rs_1", "rs_2", "rs_2"}) store_->DeleteRun(run_id);
  EXPECT_THAT(
      Words(store_->ForgottenTotals()),
      testing::UnorderedElementsAre("|succeeded||0|2|1000", "shell|failed|cuda_oom|1|2|5000", "shell|skipped||-1|1|0"));
  EXPECT_THAT(Words(store_->RunTotals()), ElementsAre("|failed||3|1|61000"));
  EXPECT_THAT(store_->AttemptTotals(), IsEmpty());
}

TEST_F(RunStoreTotalsTest, PromptsStayForAsLongAsAnythingNeedsOneOfTheirKind) {
  // ps_b was made from ps_a, ps_c from ps_b; nobody has ps_c or ps_x.
  for (const auto& [id, parent] : {std::pair("ps_a", ""), {"ps_b", "ps_a"}, {"ps_c", "ps_b"}, {"ps_x", ""}}) {
    store_->PutPrompt({id, parent, "text", "", 1});
  }
  Run("rs_1", "ps_b");
  EXPECT_EQ(store_->DeleteUnusedPrompts(), 1);
  EXPECT_THAT(Prompts(), ElementsAre("ps_a", "ps_b", "ps_c"));
  Run("rs_2");
  StageRecord stage = SomeStage("rs_2", "a");
  stage.prompt_id = "ps_c";
  store_->PutStage(&stage);
  store_->DeleteRun("rs_1");
  EXPECT_EQ(store_->DeleteUnusedPrompts(), 0);
  store_->DeleteRun("rs_2");
  EXPECT_EQ(store_->DeleteUnusedPrompts(), 3);
  EXPECT_THAT(Prompts(), IsEmpty());
}

}  // namespace
}  // namespace cosmos
