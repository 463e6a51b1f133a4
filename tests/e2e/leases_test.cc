#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <sstream>

#include "support/fake_nvidia_smi.h"
#include "support/sandbox.h"

// GPUs that stages have for themselves. The machine's nvidia-smi is the test's own.
namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class LeasesTest : public ::testing::Test {
 protected:
  LeasesTest() : nvidia_(MakeFolder(sandbox_.folder() / "bin")) {
    sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  }

  static std::filesystem::path MakeFolder(const std::filesystem::path& folder) {
    std::filesystem::create_directory(folder);
    return folder;
  }
  // A workflow of one stage on the GPUs, which notes when it has them and works until there is a file `go`.
  void WriteWorkflow(const std::string& resources = "{gpus: 1}",
                     const std::string& wait = "until test -e go; do sleep 0.02; done") {
    sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render:
    uses: shell
    timeout: 60s
    resources: )" + resources + R"(
    with: {run: 'echo "begin $COSMOS_RUN_ID $CUDA_VISIBLE_DEVICES" >>ledger; )" +
                                 wait + R"(; echo "end $COSMOS_RUN_ID" >>ledger'}
)");
  }
  pid_t Start(const std::string& run_id, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"run", "w.yaml", "--no-preflight", "--run-id", run_id};
    words.insert(words.end(), more.begin(), more.end());
    return sandbox_.StartEngine(words);
  }
  std::vector<std::string> Ledger() const {
    std::vector<std::string> lines;
    std::istringstream text(sandbox_.Read("ledger"));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  void AwaitLedger(std::size_t lines) {
    Await("line " + std::to_string(lines) + " of the ledger", [&] { return Ledger().size() >= lines; });
  }
  std::string ReasonOf(const std::string& run_id) const {
    const json queued = sandbox_.Show(run_id)["queued"];
    return queued.empty() ? "" : queued[0]["reason"].get<std::string>();
  }
  // Waits until the run is there and waits for a reason with this text.
  void AwaitReason(const std::string& run_id, const std::string& text) {
    Await("'" + text + "' of " + run_id, [&] {
      const Ended shown = sandbox_.Engine({"show", run_id, "--format", "json"});
      return shown.status == 0 && ReasonOf(run_id).find(text) != std::string::npos;
    });
  }

  Sandbox sandbox_;
  FakeNvidiaSmi nvidia_;
};

TEST_F(LeasesTest, EightEnginesNeverShareTheOneGpuAndAllSucceed) {
  WriteWorkflow("{gpus: 1}", "sleep 0.1");
  std::vector<pid_t> engines;
  for (int i = 0; i < 8; ++i) engines.push_back(Start("rs_" + std::to_string(i)));
  for (const pid_t engine : engines) EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  const std::vector<std::string> ledger = Ledger();
  ASSERT_EQ(ledger.size(), 16u);
  for (std::size_t i = 0; i < ledger.size(); i += 2) {
    ASSERT_THAT(ledger[i], StartsWith("begin "));
    const std::string run_id = ledger[i].substr(6, 4);
    EXPECT_EQ(ledger[i], "begin " + run_id + " 0");
    EXPECT_EQ(ledger[i + 1], "end " + run_id);
  }
}

TEST_F(LeasesTest, EachStageHasGpusOfItsOwn) {
  nvidia_.SetGpus(2);
  WriteWorkflow();
  const pid_t a = Start("rs_a"), b = Start("rs_b");
  AwaitLedger(2);
  EXPECT_THAT(Ledger(), ::testing::UnorderedElementsAre(::testing::AnyOf("begin rs_a 0", "begin rs_a 1"),
                                                        ::testing::AnyOf("begin rs_b 0", "begin rs_b 1")));
  EXPECT_NE(Ledger()[0].back(), Ledger()[1].back());
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(a), 0);
  EXPECT_EQ(sandbox_.Wait(b), 0);
  json leased;
  for (const json& event : sandbox_.Journal("rs_a")) {
    if (event["type"] == "gpus_leased") leased = event["data"];
  }
  EXPECT_EQ(leased["gpus"][0]["name"], "NVIDIA H100 80GB HBM3");
}

TEST_F(LeasesTest, WhoWaitsIsToldForWhomAndTakesNoTimeOfTheStage) {
  WriteWorkflow();
  const pid_t first = Start("rs_a");
  AwaitLedger(1);
  const pid_t second = Start("rs_b");
  AwaitReason("rs_b", "GPU 0 is held by stage 'render' of run rs_a");
  EXPECT_THAT(sandbox_.Engine({"show", "rs_b"}).out, HasSubstr("queued"));
  EXPECT_THAT(sandbox_.Show("rs_b")["stages"], IsEmpty());  // its time-out has not begun
  const pid_t third = Start("rs_c"), urgent = Start("rs_d", {"--priority", "1"});
  AwaitReason("rs_c", "stage 'render' of run rs_");
  AwaitReason("rs_d", "held by stage 'render' of run rs_a");
  sandbox_.Write("go", "");
  for (const pid_t engine : {first, second, third, urgent}) EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_a 0", "end rs_a", "begin rs_d 0", "end rs_d", "begin rs_b 0", "end rs_b",
                                    "begin rs_c 0", "end rs_c"));
}

TEST_F(LeasesTest, AKilledHoldersLeaseIsFreeOnceItsJobIsGone) {
  WriteWorkflow();
  const pid_t holder = Start("rs_a");
  AwaitLedger(1);
  const pid_t waiting = Start("rs_b");
  AwaitReason("rs_b", "held by");
  ::kill(holder, SIGKILL);
  sandbox_.Wait(holder);
  // The job goes on, and so does its hold on the GPU, whatever becomes of the engine.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_a 0"));
  for (const pid_t pid : sandbox_.JobProcesses()) ::kill(pid, SIGKILL);
  AwaitLedger(2);
  EXPECT_EQ(Ledger()[1], "begin rs_b 0");
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
}

TEST_F(LeasesTest, AResumedRunStillHasItsGpu) {
  WriteWorkflow();
  const pid_t holder = Start("rs_a");
  AwaitLedger(1);
  ::kill(holder, SIGKILL);
  sandbox_.Wait(holder);
  const pid_t resumed = sandbox_.StartEngine({"resume", "rs_a"});
  const pid_t waiting = Start("rs_b");
  AwaitReason("rs_b", "held by stage 'render' of run rs_a");
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(resumed), 0);
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_a 0", "end rs_a", "begin rs_b 0", "end rs_b"));
}

TEST_F(LeasesTest, AResumedRunCollectsWhatEndedThoughItsGpuHasGoneToSomebodyElse) {
  WriteWorkflow("{gpus: 1}", "until test -e go_$COSMOS_RUN_ID; do sleep 0.02; done");
  const pid_t holder = Start("rs_a");
  AwaitLedger(1);
  ::kill(holder, SIGKILL);
  sandbox_.Wait(holder);
  sandbox_.Write("go_rs_a", "");
  Await("end of the job", [&] { return sandbox_.JobProcesses().empty(); });
  const pid_t other = Start("rs_b");
  AwaitLedger(3);
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_a"}).status, 0);
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_a 0", "end rs_a", "begin rs_b 0"));
  sandbox_.Write("go_rs_b", "");
  EXPECT_EQ(sandbox_.Wait(other), 0);
}

TEST_F(LeasesTest, CancellingWhatWaitsLeavesTheQueue) {
  WriteWorkflow();
  const pid_t first = Start("rs_a");
  AwaitLedger(1);
  const pid_t second = Start("rs_b");
  AwaitReason("rs_b", "held by");
  const pid_t third = Start("rs_c");
  AwaitReason("rs_c", "run rs_b came before");
  EXPECT_EQ(sandbox_.Engine({"cancel", "rs_b"}).status, 0);
  EXPECT_EQ(sandbox_.Wait(second), 130);
  const std::string shown = sandbox_.Engine({"show", "rs_b"}).out;
  EXPECT_THAT(shown, HasSubstr("render  cancelled  (shell on local)"));  // it was never begun, and took no time
  EXPECT_THAT(shown, HasSubstr("the run was cancelled after "));
  EXPECT_THAT(shown, HasSubstr(" in the queue: it waits for 1 GPU of 'local': GPU 0 is held by"));
  AwaitReason("rs_c", "held by stage 'render' of run rs_a");
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(first), 0);
  EXPECT_EQ(sandbox_.Wait(third), 0);
}

TEST_F(LeasesTest, WhatWaitsForAGpuKeepsNoOtherStageFromRunning) {
  WriteWorkflow();
  const pid_t holder = Start("rs_a");
  AwaitLedger(1);
  sandbox_.Write("two.yaml", R"(
version: 1
name: two
stages:
  render: {uses: shell, resources: {gpus: 1}, with: {run: 'echo "begin render" >>ledger'}}
  other: {uses: shell, with: {run: 'echo "begin other" >>ledger; until test -e go2; do sleep 0.02; done'}}
)");
  const pid_t two = sandbox_.StartEngine({"run", "two.yaml", "--run-id", "rs_b", "--jobs", "1"});
  AwaitLedger(2);
  EXPECT_EQ(Ledger()[1], "begin other");
  // Its only hand is busy, so it keeps nobody from the GPU either, although it came first.
  const pid_t third = Start("rs_c");
  AwaitReason("rs_c", "held by stage 'render' of run rs_a");
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(holder), 0);
  EXPECT_EQ(sandbox_.Wait(third), 0);
  sandbox_.Write("go2", "");
  EXPECT_EQ(sandbox_.Wait(two), 0);
  EXPECT_THAT(Ledger(),
              ElementsAre("begin rs_a 0", "begin other", "end rs_a", "begin rs_c 0", "end rs_c", "begin render"));
}

TEST_F(LeasesTest, ProgramsOfSomebodyElseAreRespectedAsTold) {
  nvidia_.SetProcesses({{{"gpu_uuid", "GPU-0"}}});
  sandbox_.Write("go", "");
  WriteWorkflow("{gpus: 1, gpu_busy: ignore}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_ignore")), 0);

  WriteWorkflow("{gpus: 1, gpu_busy: fail}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_fail")), 1);
  const json failed = sandbox_.Show("rs_fail");
  EXPECT_EQ(failed["failure_kind"], "gpu_busy");
  EXPECT_THAT(failed["error_message"].get<std::string>(), HasSubstr("GPU 0: 21.0 GB in use by python3 (pid 4242)"));

  WriteWorkflow("{gpus: 1}");
  const pid_t waiting = Start("rs_wait");
  AwaitReason("rs_wait", "in use by python3 (pid 4242); set `gpu_busy: ignore` to share it");
  nvidia_.SetProcesses({});
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
}

TEST_F(LeasesTest, MoreGpusThanThereAreIsAFailureThatTellsSo) {
  WriteWorkflow("{gpus: 2}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_a")), 1);
  EXPECT_EQ(sandbox_.Show("rs_a")["failure_kind"], "invalid_input");
  EXPECT_THAT(sandbox_.Show("rs_a")["error_message"].get<std::string>(),
              HasSubstr("nvidia-smi lists 1 GPU on 'local', expected 2"));
}

// GPUs that do not work, as nvidia-smi shows them: all fields, some, or a line in place of its row.
TEST_F(LeasesTest, AGpuThatDoesNotWorkIsNotLeased) {
  sandbox_.Write("go", "");
  WriteWorkflow("{gpus: 2}");
  const FakeNvidiaSmi::Values unknown = {{"utilization.gpu", "[Unknown Error]"}, {"memory.used", "[Unknown Error]"},
                                         {"memory.total", "[Unknown Error]"},    {"memory.free", "[Unknown Error]"},
                                         {"temperature.gpu", "[Unknown Error]"}, {"power.draw", "[Unknown Error]"}};
  const FakeNvidiaSmi::Values reset = {{"temperature.gpu", "[GPU requires reset]"}, {"utilization.gpu", "[N/A]"}};
  const FakeNvidiaSmi::Values lost = {{"clocks.sm", "[GPU is lost]"}, {"memory.used", "0"}};
  int number = 0;
  for (const FakeNvidiaSmi::Values& broken : {unknown, reset, lost}) {
    nvidia_.SetGpus({FakeNvidiaSmi::Gpu(0, broken), FakeNvidiaSmi::Gpu(1), FakeNvidiaSmi::Gpu(2)});
    const std::string id = "rs_" + std::to_string(number++);
    EXPECT_EQ(sandbox_.Wait(Start(id)), 0) << sandbox_.Read("engine.out");
    EXPECT_THAT(Ledger(), ::testing::Contains("begin " + id + " 1,2"));
  }
}

TEST_F(LeasesTest, TooFewGpusThatWorkIsAFailureThatNamesTheOthers) {
  sandbox_.Write("go", "");
  WriteWorkflow("{gpus: 2}");
  nvidia_.SetErrors("Unable to determine the device handle for GPU1: 0000:41:00.0: Unknown Error\n", 15);
  EXPECT_EQ(sandbox_.Wait(Start("rs_lost")), 1);
  EXPECT_THAT(sandbox_.Show("rs_lost")["error_message"].get<std::string>(),
              HasSubstr("1 GPU on 'local' works, expected 2; GPU 1 (0000:41:00.0): Unknown Error"));
  EXPECT_EQ(sandbox_.Show("rs_lost")["failure_kind"], "gpu_busy");
  EXPECT_THAT(Ledger(), IsEmpty());
  WriteWorkflow("{gpus: 1}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_one")), 0);
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_one 0", "end rs_one"));
}

TEST_F(LeasesTest, ADriverThatDoesNotAnswerIsAskedAgainAndNothingIsGuessed) {
  sandbox_.Write("go", "");
  WriteWorkflow("{gpus: 1}");
  nvidia_.SetFirst("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
  const pid_t waiting = Start("rs_wait");
  AwaitReason("rs_wait", "Driver/library version mismatch");
  WriteWorkflow("{gpus: 1, gpu_busy: fail}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_fail")), 1);
  EXPECT_EQ(sandbox_.Show("rs_fail")["failure_kind"], "gpu_busy");
  EXPECT_THAT(Ledger(), IsEmpty());
  nvidia_.SetFirst(":");
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
  EXPECT_THAT(Ledger(), ElementsAre("begin rs_wait 0", "end rs_wait"));
}

TEST_F(LeasesTest, AnNvidiaSmiThatHangsLeasesNothing) {
  sandbox_.Write("go", "");
  WriteWorkflow("{gpus: 1}");
  nvidia_.SetFirst("case $1 in --query-compute-apps=*) sleep 3600 ;; esac");  // what uses the GPUs is not known then
  const pid_t waiting = Start("rs_wait");
  AwaitReason("rs_wait", "nvidia-smi did not answer within 8 s");
  EXPECT_THAT(Ledger(), IsEmpty());
  nvidia_.SetFirst(":");
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
}

TEST_F(LeasesTest, ADesktopThatHoldsAGigabyteIsNamedWithWhatToSet) {
  nvidia_.SetGpus({FakeNvidiaSmi::Gpu(0, {{"memory.used", "1100"}})});
  nvidia_.SetFirst(
      "if [ \"$1\" = -q ]; then echo 'GPU 00000000:40:00.0'; echo '  Process ID : 1'; echo '    Type : G'\n"
      "echo '    Name : /usr/lib/xorg/Xorg'; echo '    Used GPU Memory : 1090 MiB'; exit; fi");
  sandbox_.Write("go", "");
  WriteWorkflow();
  const pid_t waiting = Start("rs_wait");
  AwaitReason("rs_wait", "GPU 0: 1.2 GB in use by Xorg (pid 1, user root) since ");
  EXPECT_THAT(ReasonOf("rs_wait"), HasSubstr("; set `gpu_busy: ignore` to share it"));
  EXPECT_THAT(Ledger(), IsEmpty());
  nvidia_.SetGpus(1);
  EXPECT_EQ(sandbox_.Wait(waiting), 0);
}

TEST_F(LeasesTest, ALineOnStderrIsNoGpu) {
  nvidia_.SetGpus(2);
  nvidia_.SetErrors("Warning: persistence mode is disabled on device 00000000:40:00.0.\n", 0);
  WriteWorkflow("{gpus: 3}");
  EXPECT_EQ(sandbox_.Wait(Start("rs_three")), 1);
  EXPECT_THAT(sandbox_.Show("rs_three")["error_message"].get<std::string>(), HasSubstr("nvidia-smi lists 2 GPUs"));
}

}  // namespace
}  // namespace cosmos::testing
