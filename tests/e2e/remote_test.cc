// Runs on a host that is reached by SSH, and what breaks on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RemoteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    host_ = std::make_unique<RemoteHost>();
  }
  void Workflow(const std::string& rest) { sandbox_.Write("w.yaml", host_->Workflow(rest)); }
  Ended RunIt() { return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"}); }
  std::string LocalLog(const std::string& stage) const {
    return sandbox_.Read("outputs/" + stage + "/logs/run_rs_test.log");
  }
  std::string RemoteLog(const std::string& stage, const std::string& run_id = "rs_test") const {
    return sandbox_.Read(host_->job(run_id, stage) / "run.log");
  }

  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(RemoteTest, AChainOfStagesOverOneConnection) {
  sandbox_.Write("in put's $(x)/color.txt", "from here");
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages:\n"
      "  first: {uses: shell, target: gpu1, with: {run: 'hostname; echo one >\"$COSMOS_OUTPUT_DIR/one\"', outputs: {o: "
      "one}}}\n"
      "  second: {uses: shell, needs: first, with: {run: 'cat ${{ stages.first.outputs.o }} >two; echo local'}}\n"
      "  third: {uses: shell, needs: second, target: gpu1, with: {run: 'pwd; printf \"%s\" \"$COSMOS_RUN_ID "
      "$COSMOS_STAGE\"'}}\n");
  ExpectSuccess(RunIt());
  EXPECT_EQ(sandbox_.Read("two"), "one\n");
  EXPECT_EQ(LocalLog("third"), host_->workdir().string() + "\nrs_test third");
  for (const std::string stage : {"first", "third"}) EXPECT_EQ(LocalLog(stage), RemoteLog(stage));
  EXPECT_EQ(fs::read_symlink(host_->workdir() / "outputs/third/run.log"), host_->job("rs_test", "third") / "run.log");
  EXPECT_EQ(host_->server().LoginCount(), 1);
  host_->ExpectNothingLeft();
}

TEST_F(RemoteTest, FailuresAreRecordedWithLogAndDiagnosis) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo before; exit 7'}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "exit_code");
  EXPECT_THAT(run["error_message"].get<std::string>(), HasSubstr("status 7"));
  EXPECT_EQ(LocalLog("a"), "before\n");
  const fs::path diagnostics =
      sandbox_.outputs() / run["prompt_id"].get<std::string>() / "diagnostics/rs_test/a.attempt-1.host.txt";
  EXPECT_THAT(sandbox_.Read(diagnostics), HasSubstr("exit_status"));
}

TEST_F(RemoteTest, ATimeoutLeavesNothingOnTheHost) {
  Workflow(
      "stages: {a: {uses: shell, target: gpu1, timeout: 1s, with: {run: 'trap \"\" TERM; echo begun; sleep 1000 & "
      "while :; do sleep 0.1; done'}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "timeout");
  EXPECT_EQ(LocalLog("a"), "begun\n");
  host_->ExpectNothingLeft();
}

TEST_F(RemoteTest, AJobKilledFromOutsideIsNotWaitedForForEver) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo begun; sleep 1000'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("running job",
        [&] { return RemoteLog("a") == "begun\n" && sandbox_.Show("rs_test")["stages"][0]["status"] == "running"; });
  const pid_t leader = sandbox_.Show("rs_test")["stages"][0]["job"]["pid"];
  ::kill(-leader, SIGKILL);
  EXPECT_EQ(sandbox_.Wait(engine), 1);
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "killed");
  EXPECT_EQ(LocalLog("a"), "begun\n");
  host_->ExpectNothingLeft();
}

// 200,000 lines while the connection breaks again and again.
TEST_F(RemoteTest, TwentyCutsLoseAndDoubleNothing) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'i=0; while [ $i -lt 200 ]; do seq $((i * 1000)) $((i * "
      "1000 "
      "+ 999)); i=$((i + 1)); sleep 0.05; done'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  std::minstd_rand random(7);
  for (int cut = 0; cut < 20; ++cut) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 900));
    if (cut % 2 == 0) {
      host_->proxy().ResetAll();
    } else {
      host_->proxy().CutAll();
    }
  }
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  std::string expected;
  for (int i = 0; i < 200000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(LocalLog("a") == expected) << LocalLog("a").size() << " bytes, expected " << expected.size();
  EXPECT_TRUE(RemoteLog("a") == expected);
  EXPECT_EQ(sandbox_.Show("rs_test")["stages"].size(), 1u);
  EXPECT_GT(host_->server().LoginCount(), 1);
  host_->ExpectNothingLeft();
}

TEST_F(RemoteTest, SilenceOfThirtySecondsLosesNothing) {
  for (const std::string mode : {"follow", "poll"}) {
    sandbox_.Write(mode + ".yaml", host_->Workflow("hooks: {log-streamer: {mode: " + mode + "}}\nstages: {" + mode +
                                                   ": {uses: shell, target: gpu1, with: {run: 'echo before; sleep 30; "
                                                   "echo after; sleep 2; echo last'}}}\n"));
  }
  const pid_t follow = sandbox_.StartEngine({"run", "follow.yaml", "--run-id", "rs_test"});
  const pid_t poll = sandbox_.StartEngine({"run", "poll.yaml", "--run-id", "rs_test2"});
  EXPECT_EQ(sandbox_.Wait(follow), 0);
  EXPECT_EQ(sandbox_.Wait(poll), 0);
  EXPECT_EQ(LocalLog("follow"), "before\nafter\nlast\n");
  EXPECT_EQ(sandbox_.Read("outputs/poll/logs/run_rs_test2.log"), "before\nafter\nlast\n");
}

TEST_F(RemoteTest, ALogBeyondTheLimitKeepsHeadAndTail) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'echo the head; head -c 150000000 /dev/zero | tr \"\\\\0\" "
      "x | "
      "fold -w 99; echo; echo the tail'}}}\n");
  ExpectSuccess(RunIt());
  const std::string log = LocalLog("a");
  EXPECT_LE(log.size(), 100'000'000u);
  EXPECT_EQ(log.rfind("the head\n", 0), 0u);
  EXPECT_EQ(log.substr(log.size() - 9), "the tail\n");
  EXPECT_THAT(log.substr(25'000'000 - 200, 1000), HasSubstr("bytes are left out here; the whole log is"));
  EXPECT_GT(fs::file_size(host_->job("rs_test", "a") / "run.log"), 150'000'000u);
}

TEST_F(RemoteTest, BytesOfAllKindsArriveAsTheyAre) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'printf \"a\\\\0b\\\\r\\\\nc\\\\377\\\\n  \\\\n\"; sleep 1; "
      "head -c 1000000 /dev/zero | "
      "tr \"\\\\0\" y; printf \"no newline\"'}}}\n");
  ExpectSuccess(RunIt());
  EXPECT_EQ(LocalLog("a"), std::string("a\0b\r\nc\377\n  \n", 11) + std::string(1000000, 'y') + "no newline");
}

TEST_F(RemoteTest, ATruncatedLogIsSaidAndNothingIsDoubled) {
  for (const std::string mode : {"follow", "poll"}) {
    const std::string run_id = "rs_" + mode;
    sandbox_.Write("w.yaml",
                   host_->Workflow("hooks: {log-streamer: {mode: " + mode +
                                   ", poll_interval: 200ms}}\nstages: {a: {uses: shell, target: gpu1, with: {run: "
                                   "'echo the old line; until test -e " +
                                   mode + "; do sleep 0.1; done; echo new; sleep 1; echo end'}}}\n"));
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run_id});
    const std::string log = "outputs/a/logs/run_" + run_id + ".log";
    Await("first line", [&] { return sandbox_.Read(log) == "the old line\n"; });
    fs::resize_file(host_->job(run_id, "a") / "run.log", 0);
    std::ofstream(host_->workdir() / mode) << "";
    EXPECT_EQ(sandbox_.Wait(engine), 0);
    EXPECT_EQ(sandbox_.Read(log),
              "the old line\n[cosmos-engine] the log was truncated or replaced on its target; here it begins "
              "anew\nnew\nend\n")
        << mode;
  }
}

TEST_F(RemoteTest, InputsAreBroughtOnceAndOutputsComeBack) {
  sandbox_.Write("data/in put's; $(touch x) -é.bin", std::string(3'000'000, 'q'));
  sandbox_.Write("copy.yaml",
                 host_->Workflow("stages: {a: {uses: file-copy, target: gpu1, with: {input: \"data/in put's; $(touch "
                                 "x) -é.bin\"}}}\n"));
  ExpectSuccess(sandbox_.Engine({"run", "copy.yaml", "--run-id", "rs_test"}));
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(sandbox_.Read(run["stages"][0]["outputs"]["copy"].get<std::string>()), std::string(3'000'000, 'q'));
  const std::uint64_t before = host_->proxy().BytesForwarded();
  ExpectSuccess(sandbox_.Engine({"run", "copy.yaml", "--run-id", "rs_again"}));
  EXPECT_LT(host_->proxy().BytesForwarded() - before, 4'500'000u);  // one way alone
  EXPECT_FALSE(fs::exists(host_->workdir() / "x"));
}

// The workflow that a newcomer starts with, on a host of the user's configuration: clips are made there, come back, are
// sent again as inputs, and the videos decode here.
TEST_F(RemoteTest, TheQuickstartRunsOnAHostOfTheConfiguration) {
  sandbox_.Write("config/cosmos-engine/config.yaml",
                 "targets:\n  gpu1: " + host_->Target() + "\nhooks: {log-streamer: {}}\n");
  const std::string prompt = "-n it's \"night\"; $(touch ran) `touch ran` %s \\n é";
  ExpectSuccess(sandbox_.Engine({"run", Sandbox::source() / "workflows/quickstart.yaml", "--target", "gpu1", "-p",
                                 "prompt=" + prompt, "--run-id", "rs_test"}));
  const json run = sandbox_.Show("rs_test");
  int videos = 0;
  for (const json& stage : run["stages"]) {
    EXPECT_EQ(stage["target"], "gpu1");
    for (const json& artifact : stage["artifacts"]) {
      const std::string path = artifact["path"];
      if (path.substr(path.size() - 4) != ".mp4") continue;
      ++videos;
      EXPECT_EQ(sandbox_.Run({"ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-"}).err, "");
      if (stage["stage"] != "render") continue;
      const Ended comment =
          sandbox_.Run({"ffprobe", "-v", "error", "-show_entries", "format_tags=comment", "-of", "csv=p=0", path});
      EXPECT_THAT(comment.out, HasSubstr("$(touch ran)"));
    }
  }
  EXPECT_EQ(videos, 5);
  EXPECT_FALSE(fs::exists(host_->workdir() / "ran"));
  EXPECT_EQ(host_->server().LoginCount(), 1);
  host_->ExpectNothingLeft();
}

TEST_F(RemoteTest, AFolderIsAnInputToo) {
  for (int i = 0; i < 30; ++i) sandbox_.Write("frames/f." + std::to_string(100 + i), std::to_string(i) + "\n");
  Workflow("stages: {a: {uses: file-copy, target: gpu1, with: {input: frames}}}\n");
  ExpectSuccess(RunIt());
  std::string expected;
  for (int i = 0; i < 30; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(sandbox_.Read("outputs/a/rs_test/copy"), expected);
}

TEST_F(RemoteTest, TwoEnginesAndRunIdsThatBeginAlikeDoNotMix) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'for i in 1 2 3 4 5; do echo $COSMOS_RUN_ID; sleep 0.2; "
      "done; echo "
      "$COSMOS_RUN_ID >\"$COSMOS_OUTPUT_DIR/id\"', outputs: {id: id}}}}\n");
  const pid_t one = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_12345678_one"});
  const pid_t two = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_12345678_two"});
  EXPECT_EQ(sandbox_.Wait(one), 0);
  EXPECT_EQ(sandbox_.Wait(two), 0);
  for (const std::string run_id : {"rs_12345678_one", "rs_12345678_two"}) {
    std::string expected;
    for (int i = 0; i < 5; ++i) expected += run_id + "\n";
    EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_" + run_id + ".log"), expected);
    EXPECT_EQ(sandbox_.Read("outputs/a/" + run_id + "/id"), run_id + "\n");
  }
}

TEST_F(RemoteTest, UnknownAndChangedHostKeysAreRefused) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo x >ran'}}}\n");
  host_->server().NewHostKey();
  Ended ended = RunIt();
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr(host_->server().host_key_fingerprint()));
  EXPECT_THAT(ended.err, HasSubstr("is not the one in"));
  EXPECT_THAT(ended.err, HasSubstr("ssh-keygen -R"));
  std::ofstream(host_->server().known_hosts()) << "";
  ended = RunIt();
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("is not known"));
  EXPECT_THAT(ended.err, HasSubstr("ssh-keyscan -p"));
  EXPECT_FALSE(fs::exists(host_->workdir() / "ran"));
}

TEST_F(RemoteTest, AnEncryptedKeyIsAskedForOnATerminalAndNowhereElse) {
  host_ = std::make_unique<RemoteHost>("", "", "open sesame");
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo in'}}}\n");
  const Ended refused = RunIt();
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("asked for on a terminal only"));
  // script(1) gives the program a terminal, on which somebody types again and again: a prompt drops what was typed
  // before.
  const Ended asked = sandbox_.Run({"sh", "-c",
                                    "(for i in $(seq 60); do sleep 1; echo open sesame; done) | script -qec '" +
                                        sandbox_.program() + " run w.yaml --run-id rs_asked' /dev/null"});
  EXPECT_EQ(asked.status, 0);
  EXPECT_THAT(asked.out, AllOf(HasSubstr("passphrase of "), HasSubstr(" for " + host_->account().name())));
  EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_rs_asked.log"), "in\n");
}

}  // namespace
}  // namespace cosmos::testing
