#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/fake_nvidia_smi.h"
#include "support/sandbox.h"

// What a run's GPUs did, from nvidia-smi to `show`. The machine's nvidia-smi is the test's own.
namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class GpuMonitorTest : public ::testing::Test {
 protected:
  GpuMonitorTest() {
    fs::create_directory(sandbox_.folder() / "bin");
    sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  }

  void Nvidia(const std::string& script) const {
    sandbox_.Write("bin/nvidia-smi", "#!/bin/sh\n" + script + "\n");
    fs::permissions(sandbox_.folder() / "bin/nvidia-smi", fs::perms::owner_all);
  }
  // A stage that works until `until` holds, given as a condition of the shell.
  void WriteWorkflow(const std::string& until) const {
    sandbox_.Write("w.yaml", R"(
version: 1
name: w
hooks: {gpu-monitor: {interval: 100ms}}
stages:
  render: {uses: shell, resources: {gpus: 1, gpu_busy: ignore}, with: {run: 'until )" +
                                 until + R"(; do sleep 0.02; done'}}
)");
  }
  Ended Run() const { return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"}); }
  std::string EngineLog() const { return sandbox_.Read(sandbox_.run_folder("rs_test") / "engine.log"); }

  Sandbox sandbox_;
};

TEST_F(GpuMonitorTest, ShowTellsWhatTheGpusDid) {
  Nvidia(
      "case $1 in\n"
      "--query-gpu=*)\n"
      "  echo '0, GPU-0, 00000000:4F:00.0, 550.54.15, 50, 20000, 81559, 60000, 60, 360, 1980, 2619, Disabled, NVIDIA "
      "H100 80GB HBM3'\n"
      "  echo '1, GPU-1, 00000000:52:00.0, 550.54.15, 0, 4, 81559, 80000, 30, 70, 345, 2619, Disabled, NVIDIA H100 "
      "80GB HBM3' ;;\n"
      "-L) echo 'GPU 0: H100 (UUID: GPU-0)' ;;\n"
      "'') echo '| Driver Version: 550.54.15   CUDA Version: 12.4 |' ;;\n"
      "esac");
  WriteWorkflow("test $(cat outputs/.runs/rs_test/gpus/render.1.jsonl 2>/dev/null | wc -l) -ge 5");
  ASSERT_EQ(Run().status, 0);
  const json stage = sandbox_.Show("rs_test")["stages"][0];
  ASSERT_EQ(stage["gpus"].size(), 1u) << stage.dump(2);  // only its own
  const json gpu = stage["gpus"][0];
  EXPECT_EQ(gpu["gpu"], 0);
  EXPECT_EQ(gpu["name"], "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu["peak_memory"], std::int64_t{20000} * 1048576);
  EXPECT_EQ(gpu["mean_utilization"], 0.5);
  EXPECT_GE(gpu["samples"], 4);
  EXPECT_DOUBLE_EQ(gpu["energy_kwh"], gpu["watched"].get<double>() * 360 / 3.6e6);
  EXPECT_GT(stage["gpu_seconds"], 0.0);
  EXPECT_THAT(EngineLog(), HasSubstr("target 'local': 2 x NVIDIA H100 80GB HBM3, driver 550.54.15, CUDA 12.4"));
  EXPECT_THAT(sandbox_.Engine({"show", "last"}).out,
              HasSubstr("gpu 0     NVIDIA H100 80GB HBM3: 21.0 of 85.5 GB at most, 50 % busy (at most 50 %)"));

  EXPECT_THAT(sandbox_.Engine({"show", "last", "--plot"}).out, HasSubstr("render, GPU 0: utilisation\n   100 %│"));
  EXPECT_EQ(sandbox_.Engine({"show", "last", "--plot", "a.svg"}).status, 0);
  EXPECT_THAT(sandbox_.Read("a.svg"), StartsWith("<svg "));
  const Ended no_plot = sandbox_.Engine({"show", "last", "a.svg"});
  EXPECT_EQ(no_plot.status, 2);
  EXPECT_THAT(no_plot.err, HasSubstr("expected RUN_ID, or RUN_ID --plot FILE.svg"));
}

TEST_F(GpuMonitorTest, WhateverNvidiaSmiDoesTheRunGoesOn) {
  for (const char* script : {"echo 'NVIDIA-SMI has failed because it could not communicate'; exit 9",
                             "head -c 100000 /dev/urandom", "kill -SEGV $$"}) {
    Nvidia(script);
    WriteWorkflow("grep -q nvidia-smi outputs/.runs/rs_test/engine.log");
    EXPECT_EQ(Run().status, 0) << script;
    EXPECT_THAT(sandbox_.Show("rs_test")["stages"][0]["gpus"], IsEmpty());
    EXPECT_THAT(EngineLog(), HasSubstr("target 'local': nvidia-smi")) << script;
    ASSERT_EQ(sandbox_.Engine({"prune", "--keep-last", "0", "--yes"}).status, 0);
  }
}

TEST_F(GpuMonitorTest, AnNvidiaSmiThatHangsHoldsNothingUpForEver) {
  Nvidia("exec sleep 3600");
  WriteWorkflow("grep -q \"did not answer\" outputs/.runs/rs_test/engine.log");
  EXPECT_EQ(Run().status, 0);
  EXPECT_THAT(EngineLog(), HasSubstr("target 'local': nvidia-smi did not answer within 8 s"));
}

TEST_F(GpuMonitorTest, WithoutNvidiaSmiNothingIsWatchedAndNothingIsDrawn) {
  Nvidia("exit 0");
  fs::remove(sandbox_.folder() / "bin/nvidia-smi");
  WriteWorkflow("grep -q \"has no nvidia-smi\" outputs/.runs/rs_test/engine.log");
  EXPECT_EQ(Run().status, 0);
  const Ended plot = sandbox_.Engine({"show", "last", "--plot"});
  EXPECT_EQ(plot.status, 2);
  EXPECT_THAT(plot.err, HasSubstr("no GPUs were watched in run rs_test"));
  EXPECT_THAT(plot.err, HasSubstr("gpu-monitor"));
}

TEST_F(GpuMonitorTest, AContainerWithoutGpusIsNotBookedAsUsingThem) {
  const std::string go = (sandbox_.folder() / "go").string();
  sandbox_.Write("bin/docker", "#!/bin/sh\ncase $1 in\nrun) until test -e " + go +
                                   "; do sleep 0.05; done ;;\ninspect) exit 1 ;;\nesac\n");
  fs::permissions(sandbox_.folder() / "bin/docker", fs::perms::owner_all);
  const FakeNvidiaSmi nvidia(sandbox_.folder() / "bin");
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
hooks: {gpu-monitor: {interval: 100ms}}
stages:
  render:
    uses: shell
    container: {image: x}
    with: {run: 'true'}
  plain:
    uses: shell
    with: {run: 'until test $(cat outputs/.runs/rs_test/gpus/plain.1.jsonl 2>/dev/null | wc -l) -ge 5; do sleep 0.02; done; touch go'}
)");
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--no-preflight", "--jobs", "2", "--run-id", "rs_test"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  const json run = sandbox_.Show("rs_test");
  ASSERT_EQ(run["stages"].size(), 2u);
  for (const json& stage : run["stages"]) {
    EXPECT_EQ(stage["gpus"].size(), stage["stage"] == "plain" ? 1u : 0u) << stage;
    EXPECT_EQ(stage["gpu_seconds"] > 0.0, stage["stage"] == "plain") << stage;
  }
}

}  // namespace
}  // namespace cosmos::testing
