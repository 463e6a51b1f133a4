#include "run/metrics/store_metrics.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "run/metrics/metrics_fixture.h"

namespace cosmos {
namespace {

class StoreMetricsTest : public ::testing::Test {
 protected:
  StoreMetricsTest() {
    char name[] = "/tmp/cosmos-metrics-XXXXXX";
    folder_ = ::mkdtemp(name);
    store_ = RunStore::Open(folder_ / "runs.db");
  }
  ~StoreMetricsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Run(const std::string& run_id, const std::string& status, const std::string& kind = "") {
    RunRecord run;
    run.run_id = run_id;
    run.output_dir = "/outputs";
    run.status = status;
    run.failure_kind = kind;
    run.started_at = 1000;
    store_->PutRun(run);
  }
  // An attempt that took so many seconds; less than 0: it has not ended.
  void Attempt(const std::string& run_id, int attempt, const std::string& status, double seconds,
               const std::string& kind = "") {
    StageRecord stage;
    stage.run_id = run_id;
    stage.stage = "render";
    stage.attempt = attempt;
    stage.uses = "inference";
    stage.status = status;
    stage.failure_kind = kind;
    stage.started_at = 1000;
    stage.ended_at = seconds < 0 ? 0 : 1000 + static_cast<std::int64_t>(seconds * 1000);
    store_->PutStage(&stage);
  }
  Exposition Samples() {
    MetricsText text;
    AddStoreMetrics(store_.get(), &text);
    return Exposition(text.text());
  }

  std::filesystem::path folder_;
  std::unique_ptr<RunStore> store_;
};

TEST_F(StoreMetricsTest, AnEmptyStoreHasItsZeros) {
  const Exposition samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_started_total"], 0);
  EXPECT_EQ(samples["cosmos_runs{status=\"succeeded\"}"], 0);
  EXPECT_EQ(samples.size(), 5u);
}

TEST_F(StoreMetricsTest, CountsRunsAndAttempts) {
  Run("rs_1", "succeeded");
  Run("rs_2", "failed", "cuda_oom");
  Run("rs_3", "failed", "cuda_oom");
  Run("rs_4", "failed", "timeout");
  Run("rs_5", "running");
  Attempt("rs_1", 1, "failed", 4, "cuda_oom");
  Attempt("rs_1", 2, "succeeded", 70.5);
  Attempt("rs_2", 1, "failed", 0.5, "cuda_oom");
  Attempt("rs_5", 1, "running", -1);
  const Exposition samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_started_total"], 5);
  EXPECT_EQ(samples["cosmos_runs{status=\"failed\"}"], 3);
  EXPECT_EQ(samples["cosmos_runs{status=\"running\"}"], 1);
  EXPECT_EQ(samples["cosmos_runs_failed{kind=\"cuda_oom\"}"], 2);
  EXPECT_EQ(samples["cosmos_runs_failed{kind=\"timeout\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{status=\"failed\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{status=\"succeeded\",uses=\"inference\"}"], 1);
  EXPECT_FALSE(samples.Has("cosmos_stage_attempts_total{status=\"running\",uses=\"inference\"}"));
  EXPECT_EQ(samples["cosmos_stage_failures_total{kind=\"cuda_oom\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_bucket{le=\"1\",uses=\"inference\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_bucket{le=\"60\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_count{uses=\"inference\"}"], 3);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_sum{uses=\"inference\"}"], 75);
}

TEST_F(StoreMetricsTest, CountersNeverFallWhenARunIsTriedAgain) {
  Run("rs_1", "failed", "timeout");
  Attempt("rs_1", 1, "failed", 4, "timeout");
  // The next stage was skipped; when the run is tried again it has the same record.
  StageRecord skipped;
  skipped.run_id = "rs_1";
  skipped.stage = "upscale";
  skipped.uses = "upscaling";
  skipped.status = "skipped";
  skipped.started_at = skipped.ended_at = 6000;
  store_->PutStage(&skipped);
  EXPECT_FALSE(Samples().Has("cosmos_stage_attempts_total{status=\"skipped\",uses=\"upscaling\"}"));
  Run("rs_1", "running");
  const Exposition samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_started_total"], 1);
  EXPECT_EQ(samples["cosmos_stage_failures_total{kind=\"timeout\",uses=\"inference\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{status=\"failed\",uses=\"inference\"}"], 1);
}

TEST_F(StoreMetricsTest, CountersNeverFallWhenARunIsForgotten) {
  Run("rs_1", "failed", "timeout");
  Run("rs_2", "succeeded");
  Attempt("rs_1", 1, "failed", 4, "timeout");
  Attempt("rs_2", 1, "failed", 40, "timeout");
  Attempt("rs_2", 2, "succeeded", 2);
  store_->DeleteRun("rs_1");
  store_->DeleteRun("rs_2");
  const Exposition samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_started_total"], 2);
  EXPECT_EQ(samples["cosmos_runs{status=\"failed\"}"], 0);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{status=\"failed\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{status=\"succeeded\",uses=\"inference\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_failures_total{kind=\"timeout\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_bucket{le=\"10\",uses=\"inference\"}"], 2);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_sum{uses=\"inference\"}"], 46);
}

}  // namespace
}  // namespace cosmos
