// What people read: reasons of failures, runs and logs, and how it looks on terminals of several kinds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ReadingTest : public ::testing::Test {
 protected:
  Ended Run(const std::string& stages, const std::string& more = "") {
    sandbox_.Write("w.yaml", "version: 1\nname: w\n" + more + "stages:\n" + stages);
    return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_1"});
  }
  // What the words print on a terminal of this type.
  std::string OnTerminal(const std::string& type, const std::string& words) const {
    return sandbox_
        .Run({"env", "TERM=" + type, "script", "-qc", "stty cols 80 rows 24; " + sandbox_.program() + " " + words,
              "/dev/null"})
        .out;
  }

  Sandbox sandbox_;
};

TEST_F(ReadingTest, AFailureHasItsReasonOnceAndTheEndOfItsLog) {
  const Ended ended = Run("  a: {uses: shell, with: {run: 'seq 10; echo; echo the model is broken >&2; exit 3'}}\n");
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out, HasSubstr(": the job exited with status 3\n      | 7\n      | 8\n      | 9\n      | 10\n"
                                   "      | the model is broken\n      log: outputs/a/logs/run_rs_1.log\n"));
  EXPECT_THAT(ended.out, Not(HasSubstr("see its log")));
}

TEST_F(ReadingTest, ACommandThatIsMissingOrKilledIsExplained) {
  EXPECT_THAT(Run("  a: {uses: shell, with: {run: no-such-program-here}}\n").out, HasSubstr("a command was not found"));
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'kill -9 $$'}}}\n");
  EXPECT_THAT(sandbox_.Engine({"run", "w.yaml"}).out, HasSubstr("signal 9 (SIGKILL): often the machine had no memory"));
}

TEST_F(ReadingTest, ARunThatToleratedFailuresSaysSo) {
  const Ended ended = Run("  a: {uses: shell, continue_on_error: true, with: {run: exit 4}}\n");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, HasSubstr("though 1 stage failed (continue_on_error)"));
}

TEST_F(ReadingTest, ShowHasParamsAndTheAttemptsOfAStageTogether) {
  Run("  a: {uses: shell, retry: {attempts: 2, backoff: 0s}, with: {run: 'test -e again || { touch again; exit 1; "
      "}'}}\n"
      "  b: {uses: noop}\n",
      "params: {seed: {type: integer, default: 7}, who: {type: string, default: me}}\n");
  const std::string shown = sandbox_.Engine({"show", "rs_1"}).out;
  EXPECT_THAT(shown, HasSubstr("params    seed = 7\n          who = me\n"));
  EXPECT_THAT(shown, HasSubstr("log       outputs/a/logs/run_rs_1.log\n\na  succeeded, attempt 2"));
  EXPECT_THAT(shown, HasSubstr("error     the job exited with status 1\n"));
}

TEST_F(ReadingTest, TimesAreThoseOfThePlace) {
  Run("  a: {uses: noop}\n");
  const auto hour = [](const std::string& text) { return text.substr(text.find("started ") + 21, 2); };
  const std::string here = sandbox_.Engine({"show", "rs_1"}).out;
  sandbox_.SetEnvironment("TZ=UTC-5");
  EXPECT_NE(hour(here), hour(sandbox_.Engine({"show", "rs_1"}).out));
}

TEST_F(ReadingTest, HelpAndMistypedOptionsAreUnderstood) {
  EXPECT_EQ(sandbox_.Engine({"help", "run"}).out, sandbox_.Engine({"run", "--help"}).out);
  EXPECT_THAT(sandbox_.Engine({"help", "rnu"}).err, HasSubstr("did you mean 'run'?"));
  EXPECT_THAT(sandbox_.Engine({"--verson"}).err, HasSubstr("did you mean '--version'?"));
  Run("  a: {uses: noop}\n");
  EXPECT_THAT(sandbox_.Engine({"run", "w.yaml", "--priority", "101"}).err, HasSubstr("from -100 to 100"));
}

TEST_F(ReadingTest, InterruptedRunsCanBeListed) {
  Run("  a: {uses: noop}\n");
  EXPECT_EQ(sandbox_.Engine({"runs", "--status", "interrupted"}).out, "no runs\n");
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'sleep 1000'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_2"});
  Await("job", [&] { return !sandbox_.JobProcesses().empty(); });
  EXPECT_THAT(sandbox_.Engine({"runs", "--status", "running"}).out, HasSubstr("rs_2"));
  sandbox_.Kill(engine);
  EXPECT_THAT(sandbox_.Engine({"runs", "--status", "interrupted"}).out, HasSubstr("rs_2"));
  EXPECT_EQ(sandbox_.Engine({"runs", "--status", "running"}).out, "no runs\n");
}

TEST_F(ReadingTest, OneModelsParametersCanBeShown) {
  const std::string shown = sandbox_.Engine({"plugins", "show", "inference", "--model", "playblast"}).out;
  EXPECT_THAT(shown, HasSubstr("with model playblast"));
  EXPECT_THAT(shown, Not(HasSubstr("with model cosmos")));
  EXPECT_THAT(sandbox_.Engine({"plugins", "show", "inference", "--model", "playblats"}).err,
              HasSubstr("did you mean 'playblast'?"));
}

TEST_F(ReadingTest, InstancesOfAStageHaveTheirHeadsInItsLogs) {
  Run("  a: {uses: shell, matrix: {n: [1, 2]}, with: {run: 'echo ${{ matrix.n }}'}}\n");
  const std::string logs = sandbox_.Engine({"logs", "rs_1", "a"}).out;
  EXPECT_THAT(logs, HasSubstr("==> a.1"));
  EXPECT_THAT(logs, HasSubstr("==> a.2"));
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_1", "a.2"}).out, "2\n");
  EXPECT_THAT(sandbox_.Engine({"logs", "rs_1", "a.3"}).err, HasSubstr("did you mean 'a.1'?"));
}

TEST_F(ReadingTest, ATerminalGetsWhatItCanShow) {
  if (!HasProgram("script")) GTEST_SKIP() << "there is no script (package bsdutils)";
  Run("  a: {uses: shell, with: {run: 'sleep 1'}}\n");
  EXPECT_THAT(OnTerminal("xterm", "runs"), HasSubstr("\033[32msucceeded"));
  EXPECT_THAT(OnTerminal("dumb", "runs"), Not(HasSubstr("\033")));
  EXPECT_THAT(OnTerminal("dumb", "run w.yaml"), Not(HasSubstr("\033")));
  // The colour is the stream's: that of stderr has no say for a file.
  OnTerminal("xterm", "nonsense 2>err.txt");
  EXPECT_THAT(sandbox_.Read(sandbox_.folder() / "err.txt"), Not(HasSubstr("\033")));
  EXPECT_THAT(OnTerminal("xterm", "nonsense >out.txt"), HasSubstr("\033[31merror: "));
}

TEST_F(ReadingTest, TheClockOfAStageTicksThoughNothingHappens) {
  if (!HasProgram("script")) GTEST_SKIP() << "there is no script (package bsdutils)";
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'sleep 4'}}}\n");
  const std::string shown = OnTerminal("xterm", "run w.yaml");
  EXPECT_THAT(shown, HasSubstr("running 1."));
  EXPECT_THAT(shown, HasSubstr("running 2."));
}

TEST_F(ReadingTest, MoreStagesThanLinesAreCounted) {
  if (!HasProgram("script")) GTEST_SKIP() << "there is no script (package bsdutils)";
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages: {a: {uses: shell, matrix: {n: [1,2,3,4,5,6,7,8,9,10,11]}, with: {run: "
                 "'sleep 2'}}}\n");
  EXPECT_THAT(OnTerminal("xterm", "run w.yaml -j 11"), HasSubstr("and 3 more; 0 of 11 stages done"));
}

}  // namespace
}  // namespace cosmos::testing
