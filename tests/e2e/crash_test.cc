#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <random>
#include <thread>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kWaiting = R"(
version: 1
name: w
stages:
  first: {uses: shell, with: {run: 'echo first >>count'}}
  job: {uses: shell, needs: first, with: {run: 'echo begun; echo job >>count; until test -e go; do sleep 0.02; done; echo ended'}}
  last: {uses: shell, needs: job, with: {run: 'echo last >>count'}}
)";

class CrashTest : public ::testing::Test {
 protected:
  // Starts the workflow and waits until its job works.
  pid_t StartWaiting() {
    sandbox_.Write("w.yaml", kWaiting);
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
    Await("running job", [&] { return sandbox_.Read("outputs/job/logs/run_rs_test.log") == "begun\n"; });
    return engine;
  }
  void ExpectWhole() {
    EXPECT_EQ(sandbox_.Read("count"), "first\njob\nlast\n");
    const json run = sandbox_.Show("rs_test");
    EXPECT_EQ(run["status"], "succeeded");
    for (const json& stage : run["stages"]) EXPECT_EQ(stage["attempt"], 1);
    EXPECT_EQ(sandbox_.Read("outputs/job/logs/run_rs_test.log"), "begun\nended\n");
    EXPECT_EQ(sandbox_.Read(sandbox_.run_folder("rs_test") / "jobs/job/1/run.log"), "begun\nended\n");
    EXPECT_TRUE(sandbox_.JobProcesses().empty());
  }

  Sandbox sandbox_;
};

TEST_F(CrashTest, ResumeAttachesToAJobThatStillRuns) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  EXPECT_EQ(sandbox_.Wait(engine), 128 + SIGKILL);
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  const pid_t second = sandbox_.StartEngine({"resume", "rs_test"});
  Await("attachment", [&] { return sandbox_.Read("engine.out").find("attached") != std::string::npos; });
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(second), 0);
  ExpectWhole();
}

TEST_F(CrashTest, ResumeCollectsWhatFinishedMeanwhile) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  sandbox_.Write("go", "");
  Await("end of the job", [&] { return sandbox_.JobProcesses().empty(); });
  EXPECT_EQ(sandbox_.Engine({"resume", "last"}).status, 0);
  ExpectWhole();
}

TEST_F(CrashTest, ARunWithAnEngineCannotBeResumedOrRetried) {
  StartWaiting();
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 3);
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_test"}).status, 3);
}

TEST_F(CrashTest, CtrlCOnceCancelsInOrder) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["status"], "cancelled");
  EXPECT_EQ(run["stages"][1]["status"], "cancelled");
  EXPECT_TRUE(sandbox_.JobProcesses().empty());
}

TEST_F(CrashTest, CtrlCTwiceLeavesAndTheJobGoesOn) {
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  job: {uses: shell, with: {run: 'trap \"\" TERM; echo begun; "
                 "until test -e go; do sleep 0.02; done; echo ended'}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("running job", [&] { return sandbox_.Read("outputs/job/logs/run_rs_test.log") == "begun\n"; });
  ::kill(engine, SIGINT);
  Await("answer to Ctrl-C", [&] { return sandbox_.Read("engine.out").find("once more leaves") != std::string::npos; });
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_FALSE(sandbox_.JobProcesses().empty());
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  EXPECT_EQ(sandbox_.Read("outputs/job/logs/run_rs_test.log"), "begun\nended\n");
}

TEST_F(CrashTest, CancelFromAnotherTerminal) {
  const pid_t engine = StartWaiting();
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_test"})["outcome"], "asked");
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "cancelled");
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_test"})["outcome"], "ended");
}

TEST_F(CrashTest, CancelOfARunWhoseEngineIsGoneEndsItsJobs) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_FALSE(sandbox_.JobProcesses().empty());
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_test"})["outcome"], "cancelled");
  EXPECT_TRUE(sandbox_.JobProcesses().empty());
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "cancelled");
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 2);
}

TEST_F(CrashTest, AJobKilledFromOutsideIsRecordedAsKilled) {
  const pid_t engine = StartWaiting();
  for (const pid_t pid : sandbox_.JobProcesses()) ::kill(pid, SIGKILL);
  EXPECT_EQ(sandbox_.Wait(engine), 1);
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "killed");
}

TEST_F(CrashTest, KilledWhileThePlayblastRendersNothingIsLostAndNothingDoneTwice) {
  const std::string workflow = Sandbox::source() / "workflows/quickstart.yaml";
  const pid_t engine = sandbox_.StartEngine({"run", workflow, "--run-id", "rs_test"});
  Await("rendering", [&] {
    return sandbox_.Read("outputs/quickstart/logs/run_rs_test.log").find("frames to do") != std::string::npos;
  });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  const Ended resumed = sandbox_.Engine({"resume", "last"});
  EXPECT_EQ(resumed.status, 0) << resumed.out << resumed.err;
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["status"], "succeeded");
  EXPECT_EQ(run["stages"].size(), 5u);
  for (const json& stage : run["stages"]) EXPECT_EQ(stage["attempt"], 1);
  EXPECT_EQ(sandbox_.Read("outputs/quickstart/logs/run_rs_test.log"),
            sandbox_.Read(sandbox_.run_folder("rs_test") / "jobs/render/1/run.log"));
}

// Each stage notes that it was carried out; at whatever moment the engine dies, each note stands there once.
TEST_F(CrashTest, KilledAtRandomMomentsEveryStageRunsExactlyOnce) {
  std::string yaml = "version: 1\nname: w\nstages:\n";
  for (int i = 0; i < 8; ++i) {
    yaml += "  s" + std::to_string(i) + ": {uses: shell, with: {run: 'echo s" + std::to_string(i) +
            " >>count; sleep 0.01; echo done'}" + (i >= 2 ? ", needs: s" + std::to_string(i - 2) : "") + "}\n";
  }
  sandbox_.Write("w.yaml", yaml);
  std::minstd_rand random(42);
  for (int round = 0; round < 25; ++round) {
    sandbox_.Write("count", "");
    const std::string run_id = "rs_" + std::to_string(round);
    pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run_id});
    std::this_thread::sleep_for(std::chrono::microseconds(5000 + random() % 120000));
    ::kill(engine, SIGKILL);
    sandbox_.Wait(engine);
    if (sandbox_.Engine({"show", run_id}).status != 0) continue;  // killed before there was a run
    if (sandbox_.Show(run_id)["status"] != "succeeded") {
      const Ended resumed = sandbox_.Engine({"resume", run_id});
      ASSERT_EQ(resumed.status, 0) << resumed.out << resumed.err;
    }
    std::map<std::string, int> count;
    std::istringstream notes(sandbox_.Read("count"));
    for (std::string note; notes >> note;) ++count[note];
    EXPECT_EQ(count.size(), 8u);
    for (const auto& [stage, times] : count) EXPECT_EQ(times, 1) << stage << " in round " << round;
    std::map<std::string, int> open;
    for (const json& event : sandbox_.Journal(run_id)) {
      const std::string type = event["type"], key = event.value("stage", "run");
      if (type == "stage_started" || type == "run_started") ++open[key];
      if (type == "stage_finished" || type == "stage_failed" || type == "run_finished") --open[key];
    }
    for (const auto& [key, times] : open) EXPECT_EQ(times, 0) << key << " in round " << round;
    EXPECT_TRUE(sandbox_.JobProcesses().empty());
  }
}

}  // namespace
}  // namespace cosmos::testing
