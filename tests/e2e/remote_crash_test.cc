// Engines that die, are told to stop, or are started again while their jobs run on a host that is reached by SSH.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <thread>

#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kWaiting =
    "hooks: {log-streamer: {}}\n"
    "stages:\n"
    "  first: {uses: shell, target: gpu1, with: {run: 'echo first >>count'}}\n"
    "  job: {uses: shell, needs: first, target: gpu1, with: {run: 'echo begun; echo job >>count; until test -e go; do "
    "sleep "
    "0.02; done; echo ended; echo made >\"$COSMOS_OUTPUT_DIR/out\"', outputs: {out: out}}}\n"
    "  last: {uses: shell, needs: job, target: gpu1, with: {run: 'echo last >>count'}}\n";

class RemoteCrashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    host_ = std::make_unique<RemoteHost>();
  }
  pid_t StartWaiting() {
    sandbox_.Write("w.yaml", host_->Workflow(kWaiting));
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
    Await("running job", [&] { return Log() == "begun\n"; });
    return engine;
  }
  std::string Log() { return sandbox_.Read("outputs/job/logs/run_rs_test.log"); }
  void Go() { std::ofstream(host_->workdir() / "go") << ""; }
  std::string Count() { return sandbox_.Read(host_->workdir() / "count"); }
  void ExpectWhole() {
    EXPECT_EQ(Count(), "first\njob\nlast\n");
    const json run = sandbox_.Show("rs_test");
    EXPECT_EQ(run["status"], "succeeded");
    for (const json& stage : run["stages"]) EXPECT_EQ(stage["attempt"], 1);
    EXPECT_EQ(Log(), "begun\nended\n");
    EXPECT_EQ(sandbox_.Read(run["stages"][1]["outputs"]["out"].get<std::string>()), "made\n");
    host_->ExpectNothingLeft();
  }

  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(RemoteCrashTest, ResumeAttachesToAJobThatStillRuns) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  const pid_t second = sandbox_.StartEngine({"resume", "rs_test"});
  Await("attachment", [&] { return sandbox_.Read("engine.out").find("attached") != std::string::npos; });
  Go();
  EXPECT_EQ(sandbox_.Wait(second), 0);
  ExpectWhole();
}

// A closed lid: the job ends while nobody watches and nothing can be reached, and the engine is started before the host
// is back.
TEST_F(RemoteCrashTest, ResumeWaitsForAHostAndCollectsWhatFinishedMeanwhile) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  Go();
  Await("end of the job", [&] { return !sandbox_.Read(host_->job("rs_test", "job") / "exit_status").empty(); });
  host_->server().Stop();
  const pid_t second = sandbox_.StartEngine({"resume", "rs_test"});
  Await("word of the lost host",
        [&] { return sandbox_.Read("engine.out").find("no connection") != std::string::npos; });
  host_->server().Start();
  EXPECT_EQ(sandbox_.Wait(second), 0);
  ExpectWhole();
}

TEST_F(RemoteCrashTest, ARunOutlivesAnOutageOfItsHost) {
  const pid_t engine = StartWaiting();
  host_->server().Stop();
  Await("word of the lost host",
        [&] { return sandbox_.Read("engine.out").find("no connection") != std::string::npos; });
  Go();
  host_->server().Start();
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("connected again"));
  ExpectWhole();
}

TEST_F(RemoteCrashTest, CtrlCEndsTheJobOnItsHost) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "cancelled");
  host_->ExpectNothingLeft();
  EXPECT_EQ(Log(), sandbox_.Read(host_->job("rs_test", "job") / "run.log"));
}

// Nobody can tell whether the job was ended, so the run stays what it is.
TEST_F(RemoteCrashTest, CtrlCWithoutAConnectionLeavesTheRunToResume) {
  const pid_t engine = StartWaiting();
  host_->server().Stop();
  Await("word of the lost host",
        [&] { return sandbox_.Read("engine.out").find("no connection") != std::string::npos; });
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("what runs there goes on"));
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  host_->server().Start();
  Go();
  ExpectSuccess(sandbox_.Engine({"resume", "rs_test"}));
  ExpectWhole();
}

TEST_F(RemoteCrashTest, CancelFromAnotherTerminalWithAndWithoutAnEngine) {
  pid_t engine = StartWaiting();
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_test"})["outcome"], "asked");
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  host_->ExpectNothingLeft();
  engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_gone"});
  Await("running job", [&] { return sandbox_.Read("outputs/job/logs/run_rs_gone.log") == "begun\n"; });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_gone"})["outcome"], "cancelled");
  host_->ExpectNothingLeft();
  EXPECT_EQ(sandbox_.Show("rs_gone")["status"], "cancelled");
}

TEST_F(RemoteCrashTest, RetryFromAStageRepeatsItAndWhatNeedsIt) {
  const pid_t engine = StartWaiting();
  Go();
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  ExpectSuccess(sandbox_.Engine({"retry", "rs_test", "--from", "job"}));
  EXPECT_EQ(Count(), "first\njob\nlast\njob\nlast\n");
  EXPECT_EQ(sandbox_.Read("outputs/job/logs/run_rs_test.attempt-2.log"), "begun\nended\n");
  EXPECT_EQ(Log(), "begun\nended\n");
}

// Each job notes on its host that it was carried out; at whatever moment the engine dies, each note stands there once.
TEST_F(RemoteCrashTest, KilledAtAHundredRandomMomentsEveryJobRunsExactlyOnce) {
  std::string rest = "hooks: {log-streamer: {}}\nstages:\n";
  for (int i = 0; i < 4; ++i) {
    const std::string name = "s" + std::to_string(i);
    rest += "  " + name + ": {uses: shell, target: gpu1, with: {run: 'echo " + name +
            " >>\"count.$COSMOS_RUN_ID\"; seq 1000; sleep 0.05; echo done; echo " + name +
            " >\"$COSMOS_OUTPUT_DIR/o\"', outputs: {o: o}}" + (i >= 2 ? ", needs: s" + std::to_string(i - 2) : "") +
            "}\n";
  }
  sandbox_.Write("w.yaml", host_->Workflow(rest));
  std::string log;
  for (int i = 1; i <= 1000; ++i) log += std::to_string(i) + "\n";
  log += "done\n";
  std::minstd_rand random(42);
  int resumed = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string run_id = "rs_" + std::to_string(round);
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run_id});
    std::this_thread::sleep_for(std::chrono::microseconds(20000 + random() % 800000));
    ::kill(engine, SIGKILL);
    sandbox_.Wait(engine);
    if (sandbox_.Engine({"show", run_id}).status != 0) continue;  // killed before there was a run
    if (sandbox_.Show(run_id)["status"] != "succeeded") {
      ++resumed;
      const Ended ended = sandbox_.Engine({"resume", run_id});
      ASSERT_EQ(ended.status, 0) << "round " << round << "\n" << ended.out << ended.err;
    }
    std::map<std::string, int> count;
    std::istringstream notes(sandbox_.Read(host_->workdir() / ("count." + run_id)));
    for (std::string note; notes >> note;) ++count[note];
    ASSERT_EQ(count.size(), 4u) << "round " << round;
    for (const auto& [stage, times] : count) {
      ASSERT_EQ(times, 1) << stage << " in round " << round;
      ASSERT_EQ(sandbox_.Read("outputs/" + stage + "/logs/run_" + run_id + ".log"), log)
          << stage << " in round " << round;
      ASSERT_EQ(sandbox_.Read("outputs/" + stage + "/" + run_id + "/o"), stage + "\n");
    }
    std::map<std::string, int> open;
    for (const json& event : sandbox_.Journal(run_id)) {
      const std::string type = event["type"], key = event.value("stage", "run");
      if (type == "stage_started" || type == "run_started") ++open[key];
      if (type == "stage_finished" || type == "stage_failed" || type == "run_finished") --open[key];
    }
    for (const auto& [key, times] : open) ASSERT_EQ(times, 0) << key << " in round " << round;
  }
  EXPECT_GT(resumed, 30) << "few of the moments were within a run";
  host_->ExpectNothingLeft();
}

}  // namespace
}  // namespace cosmos::testing
