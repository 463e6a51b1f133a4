// What jobs do that nobody expects: leave their session, signal themselves, make outputs that cannot be read.
#include <unistd.h>

#include <fstream>

#include "faults_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string UniqueSleep(int number) {
  return "sleep 5" + std::to_string(::getpid()) +
         std::to_string(::testing::UnitTest::GetInstance()->current_test_info()->line()) + std::to_string(number);
}

class JobFaultTest : public FaultTest {
 protected:
  std::string Message() const { return Show()["error_message"]; }
};

TEST_F(JobFaultTest, WhatLeftTheSessionEndsWithTheAttempt) {
  for (const std::string target : {"gpu1", "local"}) {
    const std::string run = "rs_left_" + target;
    const std::string sleep = UniqueSleep(target == "local");
    const auto stage = [&](const std::string& rest, const std::string& more) {
      Workflow("stages: {a: {uses: shell, target: " + target + more + ", with: {run: 'setsid " + sleep +
               " & setsid -f " + sleep + " </dev/null >/dev/null 2>&1; " + rest + "'}}}\n");
    };
    stage("exit 0", "");
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run + "_good"}).status, 0);
    EXPECT_FALSE(IsRunning(sleep)) << target;
    stage("exit 3", "");
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run + "_bad"}).status, 1);
    EXPECT_FALSE(IsRunning(sleep)) << target;
    stage("sleep 1000", ", timeout: 2s");
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run + "_late"}).status, 1);
    EXPECT_FALSE(IsRunning(sleep)) << target;
    stage("sleep 1000", "");
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run + "_cancelled"});
    Await("process", [&] { return IsRunning(sleep); });
    ::kill(engine, SIGINT);
    EXPECT_EQ(sandbox_.Wait(engine), 130);
    EXPECT_FALSE(IsRunning(sleep)) << target;
  }
}

TEST_F(JobFaultTest, ASignalThatAScriptSendsItselfEndsItOnEveryTarget) {
  for (const std::string target : {"gpu1", "local"}) {
    for (const std::string signal : {"TERM", "HUP", "INT", "USR1", "QUIT"}) {
      SCOPED_TRACE(target + " " + signal);
      Workflow("stages: {a: {uses: shell, target: " + target + ", with: {run: 'die() { echo error >&2; kill -s " +
               signal + " $$; }; die; echo survived'}}}\n");
      const std::string run = "rs_" + target + "_" + signal;
      EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run}).status, 1);
      const json shown = sandbox_.Show(run);
      EXPECT_EQ(shown["failure_kind"], "killed");
      EXPECT_THAT(shown["error_message"].get<std::string>(), HasSubstr("SIG" + signal));
      EXPECT_THAT(sandbox_.Read("outputs/a/logs/run_" + run + ".log"),
                  AllOf(StartsWith("error\n"), Not(HasSubstr("survived"))));
    }
  }
}

TEST_F(JobFaultTest, ALinkOutOfTheJobsFolderIsNoOutput) {
  std::ofstream(host_->workdir().parent_path() / "secret") << "secret\n";
  const std::string secret = (host_->workdir().parent_path() / "secret").string();
  Stage("ln -s " + secret + " \"$COSMOS_OUTPUT_DIR/o\"", "", "o: o");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_EQ(Show()["failure_kind"], "output_invalid");
  EXPECT_THAT(Message(), HasSubstr("is a link that leads out of the job's output folder"));
  EXPECT_EQ(sandbox_.Run({"grep", "-rl", "^secret$", sandbox_.outputs().string()}).out, "");
}

TEST_F(JobFaultTest, ALinkOutOfTheJobsFolderIsNoOutputOnThisMachineEither) {
  sandbox_.Write("secret", "secret\n");
  for (const char* link : {"ln -s ../../../../../../../secret", "ln -s /etc/hostname", "ln -s /nowhere"}) {
    SCOPED_TRACE(link);
    sandbox_.Write("w.yaml", std::string("version: 1\nstages: {a: {uses: shell, with: {run: '") + link +
                                 " \"$COSMOS_OUTPUT_DIR/o\"', outputs: {o: o}}}}\n");
    const Ended ended = sandbox_.Engine({"run", "w.yaml"});
    EXPECT_EQ(ended.status, 1) << ended.out;
    EXPECT_THAT(sandbox_.Show()["failure_kind"].get<std::string>(), StartsWith("output_"));
    EXPECT_EQ(sandbox_.Run({"find", (sandbox_.outputs() / "a").string(), "-name", "o"}).out, "");
  }
}

TEST_F(JobFaultTest, AnOutputThatNobodyMayReadIsReportedAsThat) {
  Stage("until test -e go; do sleep 0.05; done", "", "o: o");
  const pid_t engine = Begin();
  AwaitStart();
  std::ofstream(job() / "out/o") << "of root";
  fs::permissions(job() / "out/o", fs::perms::owner_read);
  std::ofstream(host_->workdir() / "go") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 1);
  EXPECT_EQ(Show()["failure_kind"], "output_invalid");
  EXPECT_THAT(Message(), HasSubstr("permission denied"));
}

TEST_F(JobFaultTest, AnOutputThatIsHiddenFromItsOwnerIsMadeReadable) {
  Stage(
      "umask 077; mkdir \"$COSMOS_OUTPUT_DIR/d\"; echo a >\"$COSMOS_OUTPUT_DIR/d/a\"; echo b "
      ">\"$COSMOS_OUTPUT_DIR/b\"; "
      "chmod 000 \"$COSMOS_OUTPUT_DIR/d\" \"$COSMOS_OUTPUT_DIR/b\"",
      "", "a: d/a, b: b");
  ExpectSuccess(RunIt());
  EXPECT_EQ(Output("a"), "a\n");
  EXPECT_EQ(Output("b"), "b\n");
}

TEST_F(JobFaultTest, AnotherRunOfTheSameIdDoesNotTakeItsResults) {
  Stage("echo $$ >\"$COSMOS_OUTPUT_DIR/o\"", "", "o: o");
  ExpectSuccess(RunIt());
  const std::string first = Output("o");
  // Another output folder, and a database that knows nothing of the first run.
  const Ended other = sandbox_.Engine(
      {"run", "w.yaml", "--run-id", kRun, "--no-preflight", "--db", "other.db", "--output-dir", "other"});
  EXPECT_EQ(other.status, 1) << other.out;
  EXPECT_THAT(other.out + other.err, HasSubstr("belongs to another run that had the same ID"));
  EXPECT_EQ(Starts(), 1);
  // One that was pruned.
  EXPECT_EQ(sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"}).status, 0);
  const Ended again = RunIt();
  EXPECT_EQ(again.status, 1) << again.out;
  EXPECT_THAT(again.out + again.err, HasSubstr("belongs to another run that had the same ID"));
  EXPECT_EQ(Starts(), 1);
}

TEST_F(JobFaultTest, AMachineWithoutABootIdRunsJobs) {
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'echo done; exit 4'}}}\n");
  const Ended ended = sandbox_.Run({"unshare", "-m", "sh", "-c",
                                    "mount --bind /dev/null /proc/sys/kernel/random/boot_id && exec \"$0\" \"$@\"",
                                    Sandbox::program(), "run", "w.yaml", "--run-id", kRun});
  EXPECT_EQ(ended.status, 1) << ended.out << ended.err;
  EXPECT_THAT(Message(), HasSubstr("status 4"));
}

TEST_F(JobFaultTest, FunctionsOfTheEnvironmentDoNotReplaceBuiltins) {
  std::ofstream(host_->account().home() / ".bashrc")
      << "cd() { echo bad; }; read() { echo bad; }; printf() { echo bad; }; export -f cd read printf\n";
  Stage("echo good");
  ExpectSuccess(RunIt());
  EXPECT_EQ(LocalLog(), "good\n");
}

}  // namespace
}  // namespace cosmos::testing
