#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/sandbox.h"

// What the program prints, what it refuses to take, and where it cannot print.
namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The title of the window, its clipboard, a cleared screen, an 8-bit control, a changed direction of writing.
constexpr const char* kShellEscapes = R"(\033]0;title\007\033]52;c;eA==\007\033[2J\302\233\062J\342\200\256gpj)";
const std::string kEscape = "\033", kBell = "\a", kC1 = "\xC2\x9B", kOverride = "\xE2\x80\xAE";

class OutputTest : public ::testing::Test {
 protected:
  void ExpectHarmless(const std::string& text, const std::string& what) {
    for (const std::string& bad : {kEscape, kBell, kC1, kOverride}) EXPECT_THAT(text, Not(HasSubstr(bad))) << what;
  }
  void RunHello(const std::string& run_id) {
    sandbox_.Write("w.yaml", "version: 1\nname: hello\nstages:\n  a: {uses: shell, with: {run: 'echo hi'}}\n");
    ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run_id}).status, 0);
  }

  Sandbox sandbox_;
};

TEST_F(OutputTest, EscapesOfAJobReachTheTerminalOnlyWhenAsked) {
  sandbox_.Write("w.yaml", std::string("version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: \"printf '") +
                               "x%by\\\\n' '" + "ESCAPES" +
                               "'; echo \\\"FATAL $(printf 'ESCAPES')\\\" >&2; exit 3\"}}\n");
  std::string text = sandbox_.Read("w.yaml");
  std::string escapes;  // in a double-quoted YAML text
  for (const char* c = kShellEscapes; *c != '\0'; ++c) escapes += *c == '\\' ? "\\\\" : std::string(1, *c);
  for (std::size_t at; (at = text.find("ESCAPES")) != text.npos;) text.replace(at, 7, escapes);
  sandbox_.Write("w.yaml", text);
  const Ended run = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_1", "-v"});
  ASSERT_EQ(run.status, 1) << run.err;
  ExpectHarmless(run.out + run.err, "run");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"logs", "rs_1"},
                                             {"logs", "rs_1", "a", "-f"},
                                             {"show", "rs_1"},
                                             {"runs"},
                                             {"events", "rs_1"},
                                             {"show", "rs_1", "--format", "json"},
                                             {"events", "rs_1", "--format", "json"},
                                             {"events", "rs_1", "-f", "--format", "json"}}) {
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 0);
    ExpectHarmless(ended.out + ended.err, words[0]);
  }
  EXPECT_THAT(sandbox_.Engine({"logs", "rs_1", "a"}).out, HasSubstr("x\xE2\x90\x9B]0;title\xE2\x90\x87"));
  EXPECT_THAT(sandbox_.Engine({"logs", "rs_1", "a"}).out, HasSubstr("<U+009B>2J<U+202E>gpjy"));
  const std::string raw = sandbox_.Engine({"logs", "rs_1", "a", "--raw"}).out;
  for (const std::string& sent : {kEscape + "]0;title" + kBell, kEscape + "[2J", kC1 + "2J", kOverride}) {
    EXPECT_THAT(raw, HasSubstr(sent));
  }
}

TEST_F(OutputTest, EscapesInTextsOfAWorkflowAreShown) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages:\n  a: {uses: \"\\e]0;t\\a\\u202ex\"}\n");
  const Ended ended = sandbox_.Engine({"validate", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  ExpectHarmless(ended.out + ended.err, "validate");
  const Ended as_json = sandbox_.Engine({"validate", "w.yaml", "--format", "json"});
  ExpectHarmless(as_json.out, "validate as JSON");
  EXPECT_THAT(json::parse(as_json.out)["findings"].dump(), HasSubstr("\xE2\x80\xAEx"));
  ExpectHarmless(sandbox_.Engine({"show", "\033[2J"}).err, "an argument");
}

TEST_F(OutputTest, OutputThatCannotBeWrittenIsAnError) {
  RunHello("rs_1");
  for (const char* words : {"show rs_1", "show rs_1 --format json", "logs rs_1", "logs rs_1 --raw", "logs rs_1 -f",
                            "events rs_1", "runs", "runs --format json", "plugins", "db status", "schema workflow",
                            "validate w.yaml", "version", "--help", "show --help", "run w.yaml --dry-run"}) {
    const Ended ended = sandbox_.EngineInShell(std::string(words) + " >/dev/full");
    EXPECT_EQ(ended.status, 3) << words;
    EXPECT_THAT(ended.err, HasSubstr("cannot write the output: No space left on device")) << words;
  }
  EXPECT_EQ(sandbox_.EngineInShell("runs >/dev/null").status, 0);
  EXPECT_THAT(sandbox_.EngineInShell("runs | true; echo done").err, Not(HasSubstr("error")));
}

TEST_F(OutputTest, ALimitOfFileSizesIsAnErrorAndNotTheEnd) {
  RunHello("rs_1");
  // In blocks of 512 bytes: the output does not fit, or not even the database.
  const Ended shown = sandbox_.Run({"sh", "-c", "ulimit -f 1; '" + Sandbox::program() + "' schema workflow >out"});
  EXPECT_EQ(shown.status, 3);
  EXPECT_THAT(shown.err, HasSubstr("cannot write the output: File too large"));
  const Ended run = sandbox_.Run({"sh", "-c", "ulimit -f 1; '" + Sandbox::program() + "' run w.yaml --db new.db"});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("error: "));
}

TEST_F(OutputTest, NamesThatAreNotUtf8AreRefused) {
  RunHello("rs_1");
  const std::string bad = "caf\xE9";
  sandbox_.Write(bad + ".yaml", sandbox_.Read("w.yaml"));
  sandbox_.Write("latin.yaml", "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'echo " + bad + "'}}\n");
  sandbox_.Write("params.yaml", "text: " + bad + "\n");
  sandbox_.Write("p.yaml", "version: 1\nname: w\nparams: {text: {type: string}}\nstages: {a: {uses: noop}}\n");
  fs::create_directory(sandbox_.folder() / bad);
  const std::string program = "'" + Sandbox::program() + "'";
  for (const std::string& words :
       {program + " run " + bad + ".yaml", program + " run w.yaml --output-dir " + bad, program + " run latin.yaml",
        program + " run p.yaml --params params.yaml", program + " run p.yaml -p text=" + bad,
        "cd " + bad + " && " + program + " run ../w.yaml", program + " validate latin.yaml --format json"}) {
    const Ended ended = sandbox_.Run({"sh", "-c", words});
    EXPECT_EQ(ended.status, 2) << words << ended.err;
    EXPECT_THAT(ended.out + ended.err, HasSubstr("UTF-8")) << words;
    EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("json.exception"))) << words;
  }
}

TEST_F(OutputTest, ADeletedCurrentFolderIsSaid) {
  RunHello("rs_1");
  const std::string gone = "mkdir gone && cd gone && rmdir ../gone && '" + Sandbox::program() + "' ";
  const Ended ended = sandbox_.Run({"sh", "-c", gone + "run '" + (sandbox_.folder() / "w.yaml").string() + "'"});
  EXPECT_THAT(ended.status, AnyOf(2, 3));
  EXPECT_THAT(ended.err, HasSubstr("the current folder cannot be used"));
  EXPECT_THAT(ended.err, Not(HasSubstr("filesystem error")));
  EXPECT_THAT(sandbox_.Run({"sh", "-c", gone + "runs --db x.db"}).err, HasSubstr("the current folder"));
}

TEST_F(OutputTest, ReservedNamesAreRefusedBeforeAnythingRuns) {
  const auto workflow = [&](const std::string& more) {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\n" + more + "stages: {a: {uses: shell, with: {run: 'echo x >>ran'}}}\n");
  };
  for (const char* name : {".runs", "prompt_enhancement", "ps_0123456789abcdef0123456789abcdef"}) {
    sandbox_.Write("w.yaml", std::string("version: 1\nname: w\nstages: {a: {uses: shell, prompt_name: ") + name +
                                 ", with: {run: 'echo x >>ran'}}}\n");
    for (const char* command : {"run", "validate"}) EXPECT_EQ(sandbox_.Engine({command, "w.yaml"}).status, 2) << name;
  }
  workflow("");
  for (const char* run_id : {"last", "all", "-x", "--", ".x"}) {
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", std::string("--run-id=") + run_id}).status, 2) << run_id;
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--dry-run", std::string("--run-id=") + run_id}).status, 2) << run_id;
  }
  const std::string deep = std::string(200, 'a') + "/" + std::string(200, 'b') + "/" + std::string(80, 'c');
  const Ended too_long = sandbox_.Engine({"run", "w.yaml", "--output-dir", deep});
  EXPECT_EQ(too_long.status, 2);
  EXPECT_THAT(too_long.err, HasSubstr("expected at most 500"));
  sandbox_.Write("long.yaml",
                 "version: 1\nname: w\nstages: {a: {uses: noop}}\non_exit:\n  - {uses: shell, prompt_name: " +
                     std::string(128, 'p') + ", with: {run: 'echo x >>ran'}}\n");
  const std::string nearly = std::string(200, 'a') + "/" + std::string(100, 'b');
  EXPECT_EQ(sandbox_.Engine({"run", "long.yaml", "--output-dir", nearly}).status, 2);
  EXPECT_EQ(sandbox_.Read("ran"), "");
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("no runs"));
}

TEST_F(OutputTest, ADatabaseIsNotMadeInAFolderThatIsNotThere) {
  for (const char* command : {"runs", "run"}) {
    sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: noop}}\n");
    std::vector<std::string> words = {command};
    if (words[0] == "run") words.push_back("w.yaml");
    words.insert(words.end(), {"--db", "nope/x.db"});
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 2);
    EXPECT_THAT(ended.err, HasSubstr("there is no folder"));
    EXPECT_FALSE(fs::exists(sandbox_.folder() / "nope"));
  }
}

TEST_F(OutputTest, RetryOfARunWithAnEngineDoesNotAdviseToResume) {
  sandbox_.Write(
      "w.yaml",
      "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'echo x; until test -e go; do sleep 0.02; "
      "done'}}\n");
  sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_1"});
  Await("log", [&] { return sandbox_.Read("outputs/a/logs/run_rs_1.log") == "x\n"; });
  const Ended ended = sandbox_.Engine({"retry", "rs_1"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, Not(HasSubstr("resume")));
  EXPECT_THAT(ended.err, HasSubstr("cosmos-engine cancel"));
}

TEST_F(OutputTest, ARetryTellsHowLongItTookItself) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'exit 3'}}}\n");
  ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_1"}).status, 1);
  ASSERT_EQ(sandbox_.Run({"sqlite3", "home/runs.db", "UPDATE runs SET started_at = started_at - 360000000"}).status, 0);
  const Ended retried = sandbox_.Engine({"retry", "rs_1"});
  EXPECT_EQ(retried.status, 1);
  EXPECT_THAT(retried.out, HasSubstr("run rs_1 failed in "));
  EXPECT_THAT(retried.out, Not(HasSubstr(" h ")));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"runs"}, {"show", "rs_1"}}) {
    EXPECT_THAT(sandbox_.Engine(words).out, Not(HasSubstr(" h ")));
  }
}

// As a clock that was set back by an hour leaves it.
TEST_F(OutputTest, ARunThatEndsBeforeItsStartHasNoNegativeDuration) {
  RunHello("rs_1");
  ASSERT_EQ(sandbox_
                .Run({"sqlite3", "home/runs.db",
                      "UPDATE runs SET started_at = ended_at + 3600000; "
                      "UPDATE stage_executions SET started_at = ended_at + 3600000"})
                .status,
            0);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"runs"}, {"show", "rs_1"}}) {
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.out, Not(HasSubstr("-3"))) << ended.out;
    EXPECT_THAT(ended.out, HasSubstr("0.0 s"));
  }
}

TEST_F(OutputTest, ALocalLogBeyondItsLimitIsCutWhenTheJobHasEnded) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
log: {max_bytes: 100000}
stages:
  big: {uses: shell, with: {run: 'echo first; seq 100000; echo last'}}
  fails: {uses: shell, with: {run: 'echo first; seq 100000; echo last; exit 3'}, continue_on_error: true}
  small: {uses: shell, with: {run: 'seq 100'}}
)");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_1"}).status, 0);
  for (const std::string stage : {"big", "fails"}) {
    const std::string log = sandbox_.Read("outputs/" + stage + "/logs/run_rs_1.log");
    EXPECT_LE(log.size(), 100000u);
    EXPECT_EQ(log.substr(0, 8), "first\n1\n");
    EXPECT_EQ(log.substr(log.size() - 12), "100000\nlast\n");
    const fs::path whole = sandbox_.run_folder("rs_1") / "jobs" / stage / "1/run.log";
    EXPECT_THAT(log, HasSubstr("bytes are left out here; the whole log is " + whole.string()));
    EXPECT_EQ(fs::file_size(whole), 588895u + 6 + 5);
  }
  EXPECT_TRUE(fs::equivalent(sandbox_.outputs() / "small/logs/run_rs_1.log",
                             sandbox_.run_folder("rs_1") / "jobs/small/1/run.log"));
}

TEST_F(OutputTest, ALocalLogIsCutAfterAResume) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
log: {max_bytes: 100000}
stages:
  a: {uses: shell, with: {run: 'echo first; until test -e go; do sleep 0.02; done; seq 100000; echo last'}}
)");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_1"});
  Await("log", [&] { return sandbox_.Read("outputs/a/logs/run_rs_1.log") == "first\n"; });
  sandbox_.Kill(engine);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_1"}).status, 0);
  const std::string log = sandbox_.Read("outputs/a/logs/run_rs_1.log");
  EXPECT_LE(log.size(), 100000u);
  EXPECT_EQ(log.substr(0, 6), "first\n");
  EXPECT_EQ(log.substr(log.size() - 12), "100000\nlast\n");
}

}  // namespace
}  // namespace cosmos::testing
