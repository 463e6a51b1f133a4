#include "run/metrics/run_metrics.h"

#include "run/metrics/metrics_fixture.h"

namespace cosmos {
namespace {

using nlohmann::json;

class RunMetricsTest : public ::testing::Test {
 protected:
  void Tell(const std::string& stage, EventPayload payload) {
    Event event;
    event.context.stage = stage;
    event.payload = std::move(payload);
    metrics_.OnEvent(event);
  }
  std::string Text() const {
    MetricsText text;
    metrics_.AddTo(&text);
    return text.text();
  }
  double Get(const std::string& name, const std::string& before = "", const std::string& behind = "") const {
    return Exposition(Text())[Name(name, before, behind)];
  }
  bool Has(const std::string& name, const std::string& before = "", const std::string& behind = "") const {
    return Exposition(Text()).Has(Name(name, before, behind));
  }

  RunMetrics metrics_{"rs_1", "city", {"a", "b", "c", "d"}, {"d"}};

 private:
  // Labels stand in the order of their names.
  static std::string Name(const std::string& name, const std::string& before, const std::string& behind) {
    return "cosmos_run_" + name + "{" + before + "run_id=\"rs_1\"," + behind + "workflow=\"city\"}";
  }
};

TEST_F(RunMetricsTest, NothingIsToldBeforeTheRunBegins) { EXPECT_EQ(Text(), ""); }

TEST_F(RunMetricsTest, StagesAreWhereTheEventsSay) {
  Tell("", RunStarted{"city", 4, 0});
  EXPECT_EQ(Get("active"), 1);
  EXPECT_EQ(Get("stages"), 4);
  EXPECT_EQ(Get("stages_ended"), 1);
  EXPECT_EQ(Get("progress_ratio"), 0.25);
  Tell("a", StageStarted{"shell", "local"});
  Tell("b", StageStarted{"shell", "local"});
  EXPECT_EQ(Get("stages_active"), 2);
  EXPECT_FALSE(Has("stage_progress_ratio", "", "stage=\"a\","));
  Tell("a", Progress{30, 60, "rendering", -1});
  EXPECT_EQ(Get("stage_progress_ratio", "", "stage=\"a\","), 0.5);
  EXPECT_EQ(Get("progress_ratio"), 0.375);
  Tell("b", StageFailed{{FailureKind::kCudaOom, "no memory"}});
  EXPECT_EQ(Get("stages_ended"), 2);
  Tell("b", StageRetrying{});
  EXPECT_EQ(Get("retries_total"), 1);
  EXPECT_EQ(Get("stages_ended"), 1);
  Tell("b", StageStarted{"shell", "local"});
  Tell("b", StageFinished{});
  Tell("c", StageSkipped{"not needed"});
  Tell("a", StageCancelled{});
  Tell("handler", StageStarted{"shell", "local"});
  EXPECT_EQ(Get("stages_active"), 1);
  EXPECT_EQ(Get("stages_ended"), 4);
  EXPECT_EQ(Get("progress_ratio"), 1);
  Tell("", RunFinished{});
  EXPECT_EQ(Get("active"), 0);
  EXPECT_EQ(Get("stages_active"), 0);
}

TEST_F(RunMetricsTest, AStageThatIsGoneOnWithIsAtWork) {
  Tell("", RunResumed{});
  Tell("a", JobAttached{"gpu1", "/x", 1});
  EXPECT_EQ(Get("stages_active"), 1);
}

TEST_F(RunMetricsTest, WaitingForGpus) {
  Tell("a", StageQueued{"gpu1", 2, "rs_0 has them"});
  Tell("b", StageQueued{"gpu1", 1, ""});
  EXPECT_EQ(Get("stages_queued"), 2);
  Tell("a", GpusLeased{"gpu1", json::array(), std::chrono::milliseconds(1500)});
  Tell("b", StageCancelled{});
  EXPECT_EQ(Get("stages_queued"), 0);
  EXPECT_EQ(Get("gpu_leases_total"), 1);
  EXPECT_EQ(Get("queue_seconds_total"), 1.5);
}

TEST_F(RunMetricsTest, ConnectionsAndTransfers) {
  Tell("", TargetConnected{"gpu1"});
  Tell("", TargetLost{"gpu1", "reset"});
  EXPECT_EQ(Get("target_connected", "", "target=\"gpu1\","), 0);
  Tell("", TargetReconnected{"gpu1"});
  EXPECT_EQ(Get("target_connected", "", "target=\"gpu1\","), 1);
  EXPECT_EQ(Get("reconnections_total", "", "target=\"gpu1\","), 1);
  for (int i = 0; i < 2; ++i) Tell("a", TransferEnded{"upload", "gpu1", 1, 1000, std::chrono::seconds(2)});
  Tell("a", TransferEnded{"download", "gpu1", 1, 5, std::chrono::seconds(1)});
  EXPECT_EQ(Get("transfer_bytes_total", "direction=\"upload\",", "target=\"gpu1\","), 2000);
  EXPECT_EQ(Get("transfer_seconds_total", "direction=\"upload\",", "target=\"gpu1\","), 4);
  EXPECT_EQ(Get("transfer_bytes_total", "direction=\"download\",", "target=\"gpu1\","), 5);
}

TEST_F(RunMetricsTest, AGpuIsToldOnceAndOnlyWhileItWorks) {
  const json gpus = {
      {{"index", 0}, {"name", "NVIDIA \"H100\""}, {"utilization", 0.9}, {"memory_used", 5}, {"power", nullptr}},
      {{"index", 1}, {"name", "NVIDIA \"H100\""}, {"temperature", 41}}};
  Tell("a", GpuSample{"gpu1", gpus});  // of a stage that is not at work
  EXPECT_FALSE(Has("gpu_utilization_ratio", "gpu=\"0\",name=\"NVIDIA \\\"H100\\\"\",", "target=\"gpu1\","));
  for (const char* stage : {"a", "b"}) {
    Tell(stage, StageStarted{"inference", "gpu1"});
    Tell(stage, GpuSample{"gpu1", gpus});
  }
  EXPECT_EQ(Get("gpu_utilization_ratio", "gpu=\"0\",name=\"NVIDIA \\\"H100\\\"\",", "target=\"gpu1\","), 0.9);
  EXPECT_EQ(Get("gpu_temperature_celsius", "gpu=\"1\",name=\"NVIDIA \\\"H100\\\"\",", "target=\"gpu1\","), 41);
  EXPECT_FALSE(Has("gpu_power_watts", "gpu=\"0\",name=\"NVIDIA \\\"H100\\\"\",", "target=\"gpu1\","));
  Tell("a", StageFinished{});
  Tell("b", StageFinished{});
  EXPECT_FALSE(Has("gpu_memory_used_bytes", "gpu=\"0\",name=\"NVIDIA \\\"H100\\\"\",", "target=\"gpu1\","));
}

}  // namespace
}  // namespace cosmos
