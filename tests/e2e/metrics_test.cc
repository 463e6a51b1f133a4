// `--metrics-file`: figures for Prometheus, of runs that really run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <sstream>

#include "support/fake_nvidia_smi.h"
#include "support/remote_host.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The samples of a text that is wholly in Prometheus' format, by what stands before their value.
std::map<std::string, double> Samples(const std::string& text) {
  static const std::regex kComment("# (HELP cosmos_[a-z_]+ .+|TYPE cosmos_[a-z_]+ (counter|gauge|histogram))");
  static const std::regex kSample(R"re((cosmos_[a-z_]+(?:\{(?:[a-z_]+="[^"\n]*",?)+\})?) ([0-9.e+-]+))re");
  std::map<std::string, double> samples;
  EXPECT_TRUE(!text.empty() && text.back() == '\n') << text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kComment)) continue;
    EXPECT_TRUE(std::regex_match(line, match, kSample)) << line;
    if (match.empty()) continue;
    EXPECT_TRUE(samples.emplace(match[1], std::stod(match[2])).second) << line;
  }
  return samples;
}

class MetricsTest : public ::testing::Test {
 protected:
  MetricsTest() {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\nparams: {code: {type: integer, default: 0}}\nstages:\n"
                   "  a: {uses: shell, with: {run: 'exit ${{ params.code }}'}}\n"
                   "  b: {uses: noop, needs: a}\n");
    for (const char* folder : {"textfile", "bin"}) fs::create_directories(sandbox_.folder() / folder);
  }
  std::map<std::string, double> Samples(const std::string& file = "textfile/cosmos.prom") const {
    return testing::Samples(sandbox_.Read(file));
  }
  // The machine has one from now on, as far as nvidia-smi tells.
  void HaveAGpu() {
    FakeNvidiaSmi(sandbox_.folder() / "bin").SetGpus({FakeNvidiaSmi::Gpu(0, {{"utilization.gpu", "25"}})});
    sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  }
  static std::string OfRun(const std::string& run_id) { return "{run_id=\"" + run_id + "\",workflow=\"w\"}"; }

  Sandbox sandbox_;
};

TEST_F(MetricsTest, AreThoseOfAllRunsAndOfTheRunUnderWay) {
  const std::string file = "textfile/cosmos.prom";
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_a", "--metrics-file", file}).status, 0);
  std::map<std::string, double> samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_started_total"], 1);
  EXPECT_EQ(samples["cosmos_runs{status=\"succeeded\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_attempts_total{uses=\"shell\",status=\"succeeded\"}"], 1);
  EXPECT_EQ(samples["cosmos_stage_duration_seconds_count{uses=\"noop\"}"], 1);
  EXPECT_EQ(samples["cosmos_run_active" + OfRun("rs_a")], 0);
  EXPECT_EQ(samples["cosmos_run_progress_ratio" + OfRun("rs_a")], 1);
  EXPECT_EQ(samples["cosmos_run_stages_ended" + OfRun("rs_a")], 2);

  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_b", "-p", "code=3", "--metrics-file", file}).status, 1);
  samples = Samples();
  EXPECT_EQ(samples["cosmos_runs_failed{kind=\"exit_code\"}"], 1);
  EXPECT_EQ(samples.count("cosmos_stage_attempts_total{uses=\"noop\",status=\"skipped\"}"), 0u);
  EXPECT_EQ(samples["cosmos_stage_failures_total{uses=\"shell\",kind=\"exit_code\"}"], 1);
  EXPECT_EQ(samples.count("cosmos_run_active" + OfRun("rs_a")), 0u);
  EXPECT_EQ(samples["cosmos_run_stages_active" + OfRun("rs_b")], 0);

  EXPECT_EQ(sandbox_.Engine({"retry", "rs_b", "--metrics-file", file}).status, 1);
  EXPECT_EQ(Samples()["cosmos_stage_failures_total{uses=\"shell\",kind=\"exit_code\"}"], 2);
  EXPECT_EQ(Samples()["cosmos_runs_started_total"], 2);
}

TEST_F(MetricsTest, AreWrittenWhileTheRunIsUnderWay) {
  sandbox_.Write("long.yaml",
                 "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'until test -e go; do sleep 0.01; "
                 "done'}}\n  b: {uses: noop, needs: a}\n");
  sandbox_.SetEnvironment("COSMOS_METRICS_FILE=textfile/env.prom");
  const pid_t engine = sandbox_.StartEngine({"run", "long.yaml", "--run-id", "rs_a"});
  Await("metrics file", [&] { return fs::exists(sandbox_.folder() / "textfile/env.prom"); });
  EXPECT_EQ(Samples("textfile/env.prom")["cosmos_run_active" + OfRun("rs_a")], 1);
  EXPECT_EQ(Samples("textfile/env.prom")["cosmos_runs{status=\"running\"}"], 1);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_EQ(Samples("textfile/env.prom")["cosmos_run_active" + OfRun("rs_a")], 0);
  // No temporary file stays beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(sandbox_.folder() / "textfile"), fs::directory_iterator()), 1);
}

TEST_F(MetricsTest, APathThatCannotBeIsRefusedBeforeAnythingRuns) {
  Ended ended = sandbox_.Engine({"run", "w.yaml", "--metrics-file", "nowhere/cosmos.prom"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("--metrics-file is 'nowhere/cosmos.prom', and there is no folder '"),
                               HasSubstr("/nowhere'"), HasSubstr("make the folder, or correct the path")));
  ended = sandbox_.Engine({"run", "w.yaml", "--metrics-file", "textfile"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("--metrics-file is 'textfile', expected a file"));
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--metrics-file", ""}).status, 2);
  sandbox_.SetEnvironment("COSMOS_METRICS_FILE=nowhere/cosmos.prom");
  ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_THAT(ended.err, HasSubstr("$COSMOS_METRICS_FILE is 'nowhere/cosmos.prom'"));
  EXPECT_FALSE(fs::exists(sandbox_.outputs()));
}

TEST_F(MetricsTest, AFileThatCannotBeWrittenIsNoFailureOfTheRun) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'rm -r textfile'}}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_a", "--metrics-file", "textfile/m.prom"}).status, 0);
  EXPECT_THAT(sandbox_.Read(sandbox_.run_folder("rs_a") / "engine.log"),
              HasSubstr("the metrics file could not be written: cannot write '"));
}

TEST_F(MetricsTest, TellHowLongStagesWaitedForGpus) {
  HaveAGpu();
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  a: {uses: shell, matrix: {n: [1, 2]}, resources: {gpus: 1}, with: "
                 "{run: 'sleep 0.5'}}\n");
  const Ended ended =
      sandbox_.Engine({"run", "w.yaml", "-j2", "--run-id", "rs_a", "--metrics-file", "textfile/m.prom"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  std::map<std::string, double> samples = Samples("textfile/m.prom");
  EXPECT_EQ(samples["cosmos_run_gpu_leases_total" + OfRun("rs_a")], 2);
  EXPECT_GE(samples["cosmos_run_queue_seconds_total" + OfRun("rs_a")], 0.4);
  EXPECT_EQ(samples["cosmos_run_stages_queued" + OfRun("rs_a")], 0);
}

TEST_F(MetricsTest, TellWhatTheGpusDo) {
  HaveAGpu();
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nhooks: {gpu-monitor: {interval: 1s}}\nstages:\n  a: {uses: shell, resources: "
                 "{gpus: 1}, with: {run: 'until test -e go; do sleep 0.02; done'}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_a", "--metrics-file", "textfile/m.prom"});
  const auto of_gpu = [](const std::string& figure) {
    return "cosmos_run_gpu_" + figure +
           "{run_id=\"rs_a\",workflow=\"w\",target=\"local\",gpu=\"0\",name=\"NVIDIA H100 80GB HBM3\"}";
  };
  Await("sample",
        [&] { return sandbox_.Read("textfile/m.prom").find(of_gpu("utilization_ratio")) != std::string::npos; });
  std::map<std::string, double> samples = Samples("textfile/m.prom");
  EXPECT_EQ(samples[of_gpu("utilization_ratio")], 0.25);
  EXPECT_EQ(samples[of_gpu("memory_bytes")], 81559.0 * 1048576);
  EXPECT_EQ(samples[of_gpu("temperature_celsius")], 30);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 0);
}

TEST_F(MetricsTest, TellWhatWasMoved) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  const RemoteHost host;
  sandbox_.Write("in.txt", std::string(1000, 'x'));
  sandbox_.Write("w.yaml", host.Workflow("stages:\n  a: {uses: file-copy, target: gpu1, with: {input: in.txt}}\n"));
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_a", "--metrics-file", "textfile/m.prom"}).status, 0);
  const auto moved = [](const std::string& direction) {
    return "cosmos_run_transfer_bytes_total{run_id=\"rs_a\",workflow=\"w\",target=\"gpu1\",direction=\"" + direction +
           "\"}";
  };
  EXPECT_EQ(Samples("textfile/m.prom")[moved("upload")], 1000);
  EXPECT_EQ(Samples("textfile/m.prom")[moved("download")], 1000);
  std::vector<std::string> directions;
  for (const json& event : sandbox_.Journal("rs_a")) {
    if (event["type"] == "transfer_ended") directions.push_back(event["data"]["direction"]);
  }
  EXPECT_THAT(directions, ::testing::ElementsAre("upload", "download"));
}

}  // namespace
}  // namespace cosmos::testing
