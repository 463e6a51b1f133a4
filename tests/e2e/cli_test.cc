#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CliTest : public ::testing::Test {
 protected:
  void RunHello(const std::string& run_id) {
    sandbox_.Write(
        "w.yaml",
        "version: 1\nname: hello\nstages:\n  a: {uses: shell, with: {run: 'printf \"one\\ntwo\\nthree\\n\"'}}\n"
        "  b: {uses: shell, needs: a, with: {run: 'echo from b'}}\n");
    ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run_id}).status, 0);
  }
  Sandbox sandbox_;
};

TEST_F(CliTest, EveryCommandHasHelp) {
  const std::string overview = sandbox_.Engine({"--help"}).out;
  EXPECT_EQ(sandbox_.Engine({"help", "--help"}).out, overview);
  for (const char* command : {"prepare", "run", "validate", "schema", "runs", "show", "logs", "events", "resume",
                              "retry", "cancel", "targets", "gc", "plugins", "db", "version"}) {
    EXPECT_THAT(overview, HasSubstr(std::string("  ") + command + " "));
    const Ended help = sandbox_.Engine({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, StartsWith(std::string("usage: cosmos-engine ") + command));
    EXPECT_THAT(help.out, HasSubstr("--format"));
  }
}

TEST_F(CliTest, AParamMayBeAnOutputOfAnEarlierRun) {
  sandbox_.Write("make.yaml",
                 "version: 1\nname: make\nstages:\n  clip: {uses: shell, matrix: {n: [1, 2]}, with: {run: 'echo \"data "
                 "${{ matrix.n }}\" >\"$COSMOS_OUTPUT_DIR/o\"', outputs: {o: o}}}\n");
  sandbox_.Write(
      "use.yaml",
      "version: 1\nname: use\nparams: {file: {type: path}}\nstages:\n  copy: {uses: file-copy, with: {input: "
      "\"${{ params.file }}\"}}\n");
  ASSERT_EQ(sandbox_.Engine({"run", "make.yaml", "--run-id", "rs_made"}).status, 0);
  ASSERT_EQ(sandbox_.Engine({"run", "use.yaml", "-p", "file=run:rs_made/clip.2/o"}).status, 0);
  EXPECT_EQ(sandbox_.Read(sandbox_.Show()["stages"][0]["outputs"]["copy"].get<std::string>()), "data 2\n");
  const Ended no_stage = sandbox_.Engine({"run", "use.yaml", "-p", "file=run:rs_made/clip.3/o"});
  EXPECT_EQ(no_stage.status, 2);
  EXPECT_THAT(no_stage.err, HasSubstr("has no stage 'clip.3' that succeeded"));
  EXPECT_THAT(no_stage.err, HasSubstr("did you mean 'clip."));
  const Ended no_output = sandbox_.Engine({"run", "use.yaml", "-p", "file=run:rs_made/clip.1/p"});
  EXPECT_EQ(no_output.status, 2);
  EXPECT_THAT(no_output.err, HasSubstr("has no output 'p'"));
  EXPECT_EQ(sandbox_.Engine({"run", "use.yaml", "-p", "file=run:rs_none/clip/o"}).status, 2);
}

TEST_F(CliTest, RunsAreFoundByPrefixLastStatusWorkflowAndText) {
  RunHello("rs_aaa1");
  RunHello("rs_aaa2");
  EXPECT_EQ(sandbox_.Show("rs_aaa1")["run_id"], "rs_aaa1");
  EXPECT_EQ(sandbox_.Show("last")["run_id"], "rs_aaa2");
  const Ended several = sandbox_.Engine({"show", "rs_aaa"});
  EXPECT_EQ(several.status, 2);
  EXPECT_THAT(several.err, HasSubstr("rs_aaa1"));
  EXPECT_THAT(sandbox_.Engine({"show", "rs_b"}).err, HasSubstr("there is no run 'rs_b'"));
  EXPECT_EQ(sandbox_.EngineJson({"runs"})["runs"].size(), 2u);
  EXPECT_EQ(sandbox_.EngineJson({"runs", "--limit", "1"})["runs"][0]["run_id"], "rs_aaa2");
  EXPECT_EQ(sandbox_.EngineJson({"runs", "--status", "failed"})["runs"].size(), 0u);
  EXPECT_EQ(sandbox_.EngineJson({"runs", "--workflow", "hello"})["runs"].size(), 2u);
  EXPECT_EQ(sandbox_.EngineJson({"runs", "--search", "aaa1"})["runs"].size(), 1u);
}

TEST_F(CliTest, ShowHasTheShapeThatScriptsRelyOn) {
  RunHello("rs_1");
  const json run = sandbox_.Show("rs_1");
  for (const char* key : {"run_id", "workflow", "status", "failure_kind", "error_message", "log_path", "prompt_id",
                          "prompt_name", "started_at", "ended_at", "stages"}) {
    EXPECT_TRUE(run.contains(key)) << key;
  }
  for (const char* key : {"stage", "instance", "attempt", "status", "failure_kind", "target", "log_path", "started_at",
                          "ended_at", "outputs", "artifacts"}) {
    EXPECT_TRUE(run["stages"][0].contains(key)) << key;
  }
  EXPECT_THAT(run["started_at"].get<std::string>(), ::testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
}

TEST_F(CliTest, LogsOfOneStageAreByteForByteAndCanBeCut) {
  RunHello("rs_1");
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_1", "a"}).out, "one\ntwo\nthree\n");
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_1", "a", "-n", "2"}).out, "two\nthree\n");
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_1", "a", "-n", "0"}).out, "");
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_1", "a", "-n", "9"}).out, "one\ntwo\nthree\n");
  EXPECT_THAT(sandbox_.Engine({"logs", "rs_1"}).out, HasSubstr("==> b"));
  EXPECT_THAT(sandbox_.Engine({"logs", "rs_1", "bb"}).err, HasSubstr("'b'"));
}

TEST_F(CliTest, LogsCanBeFollowedUntilTheRunHasEnded) {
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'echo one; until test -e go; do sleep "
                 "0.02; done; echo two'}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "-q"});
  Await("log", [&] { return sandbox_.Engine({"logs", "last"}).out.find("one") != std::string::npos; });
  const pid_t follower = sandbox_.StartEngine({"logs", "last", "a", "-f"});
  Await("followed line", [&] { return sandbox_.Read("engine.out") == "one\n"; });
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(follower), 0);
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_EQ(sandbox_.Read("engine.out"), "one\ntwo\n");
}

TEST_F(CliTest, RunWithJsonPrintsOneObject) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: noop}}\n");
  EXPECT_EQ(sandbox_.EngineJson({"run", "w.yaml"})["status"], "succeeded");
  const Ended quiet = sandbox_.Engine({"run", "w.yaml", "--quiet"});
  EXPECT_EQ(quiet.out + quiet.err, "");
  EXPECT_THAT(sandbox_.Engine({"run", "w.yaml", "--verbose"}).err, HasSubstr(" -] started: "));
}

TEST_F(CliTest, AReaderThatGoesAwayDoesNotEndARun) {
  sandbox_.Write(
      "w.yaml",
      "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'sleep 0.2'}}\n  b: {uses: noop, needs: a}\n");
  const Ended ended = sandbox_.EngineInShell("run w.yaml | head -n 1");
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'), 1);
  EXPECT_EQ(sandbox_.Show()["status"], "succeeded");
}

TEST_F(CliTest, ARunIdCanBeGivenOnce) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: noop}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "mine"}).status, 0);
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "mine"}).status, 2);
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "../x"}).status, 2);
}

TEST_F(CliTest, DbTellsItsVersionIsBackedUpAndRefusesANewerOne) {
  EXPECT_EQ(sandbox_.Engine({"db", "status"}).status, 2);
  RunHello("rs_1");
  const json status = sandbox_.EngineJson({"db", "status"});
  EXPECT_EQ(status["current"], status["latest"]);
  EXPECT_GE(status["latest"], 2);
  EXPECT_EQ(sandbox_.EngineJson({"db", "upgrade"})["backup"], nullptr);
  EXPECT_EQ(sandbox_.Engine({"db", "backup", "copy.db"}).status, 0);
  EXPECT_EQ(sandbox_.Engine({"db", "backup", "copy.db"}).status, 3);
  EXPECT_EQ(sandbox_.EngineJson({"runs", "--db", "copy.db"})["runs"].size(), 1u);
  ASSERT_EQ(sandbox_.Run({"sqlite3", "copy.db", "UPDATE schema_version SET version = 99"}).status, 0);
  const Ended newer = sandbox_.Engine({"runs", "--db", "copy.db"});
  EXPECT_EQ(newer.status, 3);
  EXPECT_THAT(newer.err, HasSubstr("99"));
}

TEST_F(CliTest, EventsAsJson) {
  RunHello("rs_1");
  const json events = sandbox_.EngineJson({"events", "rs_1"})["events"];
  EXPECT_EQ(events[0]["type"], "run_started");
  EXPECT_EQ(events.back()["type"], "run_finished");
  EXPECT_THAT(sandbox_.Engine({"events", "rs_1", "-f"}).out, HasSubstr("run_finished"));
}

TEST_F(CliTest, SchemasAreJson) {
  for (const char* what : {"workflow", "config", "inference"}) {
    EXPECT_TRUE(json::parse(sandbox_.Engine({"schema", what}).out).is_object()) << what;
  }
}

TEST_F(CliTest, TwoRunsAtOnceDoNotMix) {
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'for i in 1 2 3 4 5 6 7 8 9; do echo "
                 "\"$COSMOS_RUN_ID $i\"; sleep 0.01; done'}}\n");
  const pid_t one = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_same0001"});
  const pid_t two = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_same0002"});
  EXPECT_EQ(sandbox_.Wait(one), 0);
  EXPECT_EQ(sandbox_.Wait(two), 0);
  for (const std::string run_id : {"rs_same0001", "rs_same0002"}) {
    std::string expected;
    for (int i = 1; i <= 9; ++i) expected += run_id + " " + std::to_string(i) + "\n";
    EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_" + run_id + ".log"), expected);
    std::istringstream lines(sandbox_.Read(sandbox_.run_folder(run_id) / "engine.log"));
    for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, HasSubstr(" " + run_id + " "));
  }
}

}  // namespace
}  // namespace cosmos::testing
