#include <gmock/gmock.h>

#include <string>

#include "testing/fake_host.h"
#include "testing/fake_run.h"

namespace {

using cosmos::sdk::testing::FakeGpus;
using cosmos::sdk::testing::FakeHost;
using cosmos::sdk::testing::FakeRun;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The plugin as the engine uses it, threads and all.
class GpuMonitorTest : public ::testing::Test {
 protected:
  void Start(const json& parameters = {{"interval", "100ms"}}) {
    const FakeHost::Result result = run_.Start(plugin_, parameters);
    ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  }
  void Event(const char* type, const json& data, const char* stage = "render", const char* instance = "") {
    json event = run_.Event(type, stage, instance);
    event["data"] = data;
    const FakeHost::Result result = run_.OnEvent(event);
    EXPECT_EQ(result.status, COSMOS_OK) << result.text;
  }
  void Lease(const std::vector<int>& numbers, const char* stage = "render", const char* instance = "") {
    json gpus = json::array();
    for (const int number : numbers) gpus.push_back({{"index", number}, {"uuid", nullptr}, {"name", nullptr}});
    Event("gpus_leased", {{"target", "gpu1"}, {"gpus", gpus}}, stage, instance);
  }
  void Submit(const char* stage = "render", const char* instance = "", const char* target = "gpu1") {
    Event("job_submitted", {{"target", target}, {"folder", "/f"}, {"pid", 1}}, stage, instance);
  }
  void End(const char* stage = "render") { Event("job_ended", {{"exit_status", 0}}, stage); }
  void Stop() { EXPECT_EQ(run_.Stop().status, COSMOS_OK); }

  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
  FakeRun run_{&host_};
  FakeGpus& gpus_ = run_.gpus();
};

TEST_F(GpuMonitorTest, DescribesItself) {
  const json description = cosmos::sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "gpu-monitor");
  EXPECT_EQ(description.at("kind"), "hook");
  EXPECT_EQ(description.at("requires"), (json{"cosmos.run/1", "cosmos.gpu/1"}));
  EXPECT_EQ(description.at("parameters").at("properties").at("interval").at("default"), "5s");
}

TEST_F(GpuMonitorTest, SaysWhatIsWrongWithItsInterval) {
  const auto refusal = [&](const json& interval) {
    const FakeHost::Result result = FakeRun(&host_).Start(plugin_, {{"interval", interval}});
    EXPECT_EQ(result.status, COSMOS_ERROR);
    return result.text;
  };
  EXPECT_THAT(refusal("soon"), HasSubstr("'interval' of hook 'gpu-monitor': \"soon\" is not a duration"));
  EXPECT_EQ(refusal("10ms"),
            "'interval' of hook 'gpu-monitor': found 10ms, expected 100ms or more; write a duration such as 5s");
}

TEST_F(GpuMonitorTest, SamplesTheGpusOfEachJobWhileItRuns) {
  gpus_.SetGpus("gpu1", 4);
  Start();
  Lease({1, 2});
  Submit();
  EXPECT_TRUE(gpus_.AwaitSamples(3));
  Lease({3}, "render", "seed=7");
  Submit("render", "seed=7");
  EXPECT_TRUE(gpus_.AwaitSamples(8));
  Stop();
  std::size_t first = 0, second = 0;
  for (const FakeGpus::Sample& sample : gpus_.samples()) {
    EXPECT_EQ(sample.target, "gpu1");
    if (sample.job == "render/1") {
      ++first;
      ASSERT_THAT(sample.gpus, SizeIs(2));
      EXPECT_EQ(sample.gpus[0]["index"], 1);
      EXPECT_EQ(sample.gpus[1]["utilization"], 0.02);
    } else {
      ++second;
      EXPECT_EQ(sample.job, "render.seed=7/1");
      ASSERT_THAT(sample.gpus, SizeIs(1));
      EXPECT_EQ(sample.gpus[0]["uuid"], "GPU-3");
    }
  }
  EXPECT_GE(first, 3u);
  EXPECT_GE(second, 1u);
  EXPECT_EQ(gpus_.questions_for_details(), 1u);
  ASSERT_THAT(run_.lines(), SizeIs(1));
  EXPECT_EQ(run_.lines()[0].text, "target 'gpu1': 4 x H100, driver 550.1, CUDA 12.4");
}

TEST_F(GpuMonitorTest, AnEndedJobGetsNoMoreSamples) {
  gpus_.SetGpus("gpu1", 1);
  Start();
  Submit("a");
  Submit("b");
  EXPECT_TRUE(gpus_.AwaitSamples(4));
  End("a");
  const std::size_t then = gpus_.samples().size();
  EXPECT_TRUE(gpus_.AwaitSamples(then + 4));
  Stop();
  const std::vector<FakeGpus::Sample> samples = gpus_.samples();
  // One round may have been under way.
  for (std::size_t i = then + 2; i < samples.size(); ++i) EXPECT_EQ(samples[i].job, "b/1");
}

TEST_F(GpuMonitorTest, ATargetWithoutNvidiaSmiIsAskedOnce) {
  gpus_.SetReading("local", {{"present", false}, {"gpus", json::array()}});
  Start();
  Submit("render", "", "local");
  EXPECT_TRUE(run_.AwaitLine("target 'local' has no nvidia-smi"));
  Submit("second", "", "local");
  Stop();
  EXPECT_EQ(gpus_.questions(), 1u);
  EXPECT_THAT(gpus_.samples(), IsEmpty());
}

TEST_F(GpuMonitorTest, AProblemIsToldOnceAndWatchedFor) {
  gpus_.SetReading("gpu1", "the host is away");
  Start();
  Submit();
  EXPECT_TRUE(run_.AwaitLine("target 'gpu1': its GPUs cannot be watched now: the host is away"));
  gpus_.SetReading("gpu1", {{"present", true},
                            {"gpus", json::array()},
                            {"mig_devices", json::array()},
                            {"problem", "nvidia-smi fails with status 9: no driver"}});
  EXPECT_TRUE(run_.AwaitLine("target 'gpu1': nvidia-smi fails with status 9: no driver"));
  gpus_.SetReading("gpu1", {{"gpus", "garbage"}});
  EXPECT_TRUE(run_.AwaitLine("cannot be watched now: "));
  gpus_.SetGpus("gpu1", 1);
  EXPECT_TRUE(gpus_.AwaitSamples(2));
  Stop();
  std::size_t away = 0;
  for (const FakeHost::LogLine& line : run_.lines()) {
    if (line.text.find("the host is away") != std::string::npos) ++away;
  }
  EXPECT_EQ(away, 1u);
}

TEST_F(GpuMonitorTest, StopsAtOnceWhateverItsInterval) {
  gpus_.SetGpus("gpu1", 1);
  Start({{"interval", "1h"}});
  Submit();
  EXPECT_TRUE(gpus_.AwaitSamples(1));
  Stop();
  EXPECT_THAT(gpus_.samples(), SizeIs(1));
}

}  // namespace
