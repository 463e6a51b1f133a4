#include "run/status/status_report.h"

#include <gtest/gtest.h>

#include "store/store_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::int64_t kSubmitted = 1'700'000'000'000;  // milliseconds since the epoch

// A run without an engine, with a job on this machine, and what was found there.
class StatusReportTest : public testing::Test {
 protected:
  StatusReportTest() : store_(RunStore::Open(folder_ / "runs.db")) {
    RunRecord run = SomeRun("rs_a");
    run.output_dir = folder_ / "outputs";
    run.status = "running";
    run.started_at = kSubmitted - 1000;
    store_->PutRun(run);
    StageRecord stage;
    stage.run_id = "rs_a";
    stage.stage = "render";
    stage.status = "running";
    stage.target = "local";
    stage.started_at = kSubmitted - 500;
    store_->PutStage(&stage);
    JobRecord job;
    job.run_id = "rs_a";
    job.stage = "render";
    job.target = "local";
    job.folder = run.output_dir + "/.runs/rs_a/jobs/render/1";
    job.status = "running";
    job.submitted_at = kSubmitted;
    store_->PutJob(&job);
    host_.place.target = "local";
    host_.place.names = {"local"};
    host_.place.config = {{"local", nullptr}};
    host_.state.asked = host_.state.reachable = true;
  }
  json Report() { return StatusReport({{"local", host_.place.config}}, {host_}, store_.get()); }
  json Found() { return Report()["targets"][0]["jobs"].at(0)["found"]; }

  TemporaryFolder folder_;
  std::unique_ptr<RunStore> store_;
  KnownHost host_;
};

TEST_F(StatusReportTest, AJobIsMissedOnlyInAListThatWasBegunAfterIt) {
  host_.state.complete_at = kSubmitted - 1;
  EXPECT_EQ(Found(), json());
  EXPECT_EQ(Report()["runs"][0]["state"], "interrupted");
  host_.state.complete_at = kSubmitted + 1;
  EXPECT_EQ(Found(), json(false));
  EXPECT_EQ(Report()["runs"][0]["state"], "zombie");
}

TEST_F(StatusReportTest, AListThatMayLackSomethingMissesNothing) {
  EXPECT_EQ(Found(), json());
  EXPECT_EQ(Report()["runs"][0]["state"], "interrupted");
  host_.state.found.processes.push_back({7, 7, 1, "sleep", "rs_a", ""});
  EXPECT_EQ(Found(), json(true));
  host_.state.reachable = false;
  EXPECT_EQ(Found(), json());
}

}  // namespace
}  // namespace cosmos
