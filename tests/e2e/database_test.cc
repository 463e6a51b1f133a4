#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "support/sandbox.h"

// The database of runs fails, disappears or is damaged, and what `db` does about it.
namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kWaiting = R"(
version: 1
name: w
params: {prompt: {type: string, default: a city at night}}
stages:
  first: {uses: shell, with: {run: 'echo first >>count; echo x >"$COSMOS_OUTPUT_DIR/o"', outputs: {o: o}}}
  job: {uses: shell, needs: first, with: {run: 'echo begun; echo job >>count; until test -e go; do sleep 0.02; done; echo ended'}}
  last: {uses: shell, needs: job, with: {run: 'echo last >>count'}}
)";

// A stage fails and is tried again later, while another works.
constexpr const char* kRetrying = R"(
version: 1
name: w
stages:
  flaky: {uses: shell, retry: {attempts: 5, backoff: 300ms}, with: {run: 'echo flaky >>count; test -e go'}}
  job: {uses: shell, with: {run: 'echo job >>count; until test -e go; do sleep 0.02; done'}}
)";

class DatabaseTest : public ::testing::Test {
 protected:
  ~DatabaseTest() override {
    if (mounted_) ::umount2(home().c_str(), MNT_DETACH);
  }
  fs::path home() const { return sandbox_.folder() / "home"; }
  fs::path database() const { return home() / "runs.db"; }

  // Starts the workflow and waits until its job works.
  pid_t StartWaiting() {
    sandbox_.Write("w.yaml", kWaiting);
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
    Await("running job", [&] { return sandbox_.Read("outputs/job/logs/run_rs_test.log") == "begun\n"; });
    return engine;
  }
  void RemoveDatabase() {
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(database().string() + suffix);
  }
  void ExpectWhole() {
    EXPECT_EQ(sandbox_.Read("count"), "first\njob\nlast\n");
    EXPECT_EQ(sandbox_.Show("rs_test")["status"], "succeeded");
    EXPECT_EQ(sandbox_.Read("outputs/job/logs/run_rs_test.log"), "begun\nended\n");
    EXPECT_TRUE(sandbox_.JobProcesses().empty());
  }
  // Where the run stands in its journal: every start has one end, and numbers have no gap.
  void ExpectOneEndForEachStart() {
    std::map<std::string, int> open;
    std::uint64_t seq = 0;
    for (const json& event : sandbox_.Journal("rs_test")) {
      EXPECT_EQ(event["seq"], ++seq);
      const std::string type = event["type"];
      const std::string key = event.value("stage", "") + "#" + std::to_string(event.value("attempt", 0));
      if (type == "stage_started") {
        EXPECT_EQ(open[key]++, 0) << key;
      }
      if (type == "stage_finished" || type == "stage_failed" || type == "stage_cancelled") {
        EXPECT_EQ(open[key]--, 1) << key;
      }
    }
  }

  Sandbox sandbox_;
  bool mounted_ = false;
};

TEST_F(DatabaseTest, ARunWhoseDatabaseIsRemovedStopsAndIsRestoredAndResumed) {
  const pid_t engine = StartWaiting();
  RemoveDatabase();
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("was removed while it was in use"));
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("cosmos-engine db rebuild"));
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, Not(HasSubstr("rs_test")));
  const Ended rebuilt = sandbox_.Engine({"db", "rebuild"});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("restored 1 run"));
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  const Ended resumed = sandbox_.Engine({"resume", "rs_test"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  ExpectWhole();
  ExpectOneEndForEachStart();
}

TEST_F(DatabaseTest, ARunWhoseDatabaseIsReplacedStops) {
  sandbox_.Write("other.yaml", "version: 1\nname: other\nstages: {a: {uses: noop}}\n");
  ASSERT_EQ(sandbox_.Engine({"run", "other.yaml", "--db", "other.db", "--output-dir", "elsewhere"}).status, 0);
  const pid_t engine = StartWaiting();
  fs::rename(sandbox_.folder() / "other.db", database());
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("was replaced by another file"));
}

TEST_F(DatabaseTest, ARunWhoseDatabaseIsDamagedStopsAndIsRestored) {
  sandbox_.Write("other.yaml", "version: 1\nname: other\nstages: {a: {uses: noop}}\n");
  ASSERT_EQ(sandbox_.Engine({"run", "other.yaml", "--run-id", "rs_before"}).status, 0);
  const pid_t engine = StartWaiting();
  std::ofstream(database(), std::ios::trunc) << std::string(20000, '#');
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  const Ended check = sandbox_.Engine({"db", "check"});
  EXPECT_EQ(check.status, 3) << check.out << check.err;
  const Ended rebuilt = sandbox_.Engine({"db", "rebuild"});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("runs.db.damaged-"));
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  ExpectWhole();
  EXPECT_EQ(sandbox_.Show("rs_before")["status"], "succeeded");
  EXPECT_EQ(sandbox_.Engine({"db", "check"}).status, 0);
}

TEST_F(DatabaseTest, RebuildGivesTheAnswersOfBefore) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: mixed
prompt_name: some-shot
params: {prompt: {type: string, default: a city at night}, negative_prompt: {type: string, default: rain}}
stages:
  make: {uses: shell, matrix: {n: [1, 2]}, with: {run: 'echo ${{ matrix.n }} >"$COSMOS_OUTPUT_DIR/o"', outputs: {o: o}}}
  again: {uses: shell, retry: {attempts: 2, backoff: 1ms}, with: {run: 'echo x >>tries; test $(wc -l <tries) -ge 2'}}
  breaks: {uses: shell, needs: make, with: {run: 'echo "no"; exit 3'}}
  never: {uses: noop, needs: breaks}
  when: {uses: noop, when: '${{ params.prompt == "x" }}'}
on_failure:
  - {uses: shell, with: {run: 'echo told'}}
)");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_failed"}).status, 1);
  sandbox_.Write("good.yaml", "version: 1\nname: good\nstages: {a: {uses: shell, with: {run: 'echo hi'}}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "good.yaml", "--run-id", "rs_good"}).status, 0);
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_good", "--from", "a"}).status, 0);
  std::map<std::string, json> before;
  for (const char* run_id : {"rs_failed", "rs_good"}) before[run_id] = sandbox_.Show(run_id);
  const json runs = sandbox_.EngineJson({"runs"});
  ASSERT_EQ(sandbox_.Engine({"db", "backup", "copy.db"}).status, 0);

  const auto expect_same = [&] {
    for (const auto& [run_id, shown] : before) EXPECT_EQ(sandbox_.Show(run_id), shown) << run_id;
    EXPECT_EQ(sandbox_.EngineJson({"runs"}), runs);
    EXPECT_EQ(sandbox_.EngineJson({"runs", "--search", "city"})["runs"].size(), 1u);
    EXPECT_EQ(sandbox_.Engine({"logs", "rs_failed", "breaks"}).out, "no\n");
  };
  RemoveDatabase();
  EXPECT_EQ(sandbox_.EngineJson({"db", "rebuild", "outputs"})["restored"].size(), 2u);
  expect_same();

  // A sound database is not touched without being told, and doing it again changes nothing.
  const Ended refused = sandbox_.Engine({"db", "rebuild", "outputs"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("--merge"));
  EXPECT_EQ(sandbox_.EngineJson({"db", "rebuild", "outputs", "--merge"})["restored"].size(), 2u);
  expect_same();
  EXPECT_EQ(sandbox_.Engine({"db", "check"}).status, 0);

  // The copy answers as well.
  json copied = sandbox_.EngineJson({"show", "rs_failed", "--db", "copy.db"});
  EXPECT_EQ(copied, before["rs_failed"]);
}

TEST_F(DatabaseTest, RebuildKnowsWhatWasCancelled) {
  const pid_t first = StartWaiting();
  ::kill(first, SIGINT);
  EXPECT_EQ(sandbox_.Wait(first), 130);
  sandbox_.Write("w.yaml", kWaiting);
  const pid_t second = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_left"});
  // What the journal does not have yet when its engine is killed, only the database knows.
  Await("running job in the journal", [&] {
    return sandbox_.Read(sandbox_.run_folder("rs_left") / "events.jsonl").find("job/logs/run_rs_left.log") !=
           std::string::npos;
  });
  ::kill(second, SIGKILL);
  sandbox_.Wait(second);
  EXPECT_EQ(sandbox_.Engine({"cancel", "rs_left"}).status, 0);
  const json in_order = sandbox_.Show("rs_test"), left = sandbox_.Show("rs_left");
  EXPECT_EQ(left["status"], "cancelled");
  RemoveDatabase();
  EXPECT_EQ(sandbox_.Engine({"db", "rebuild"}).status, 0);
  EXPECT_EQ(sandbox_.Show("rs_test"), in_order);
  EXPECT_EQ(sandbox_.Show("rs_left"), left);
}

TEST_F(DatabaseTest, ACheckFindsRunsWithoutFilesAndFilesWithoutRuns) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: noop}}\n");
  for (const char* run_id : {"rs_1", "rs_2"}) {
    ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run_id}).status, 0);
  }
  ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_3", "--db", "other.db"}).status, 0);
  fs::remove_all(sandbox_.run_folder("rs_1"));
  const Ended ended = sandbox_.Engine({"db", "check", "--format", "json"});
  EXPECT_EQ(ended.status, 1);
  const json check = json::parse(ended.out);
  EXPECT_EQ(check["ok"], false);
  EXPECT_EQ(check["runs_without_files"], json::array({"rs_1"}));
  EXPECT_EQ(check["files_without_runs"], json::array({sandbox_.run_folder("rs_3").string()}));
}

TEST_F(DatabaseTest, WhatSomebodyWroteIntoItReachesNoPathAndNoShell) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: shell, with: {run: 'exit 1'}}}\n");
  ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_1"}).status, 1);
  sandbox_.Write("precious/.runs/rs_1/run.json", "precious");
  sandbox_.Write("secret.txt", "not a log\n");
  fs::copy_file(home() / "runs.db", home() / "good.db");
  const std::string here = sandbox_.folder().string();
  for (const std::string& edit : std::vector<std::string>{
           "UPDATE stage_executions SET log_path = '" + here + "/secret.txt'",
           "UPDATE stage_executions SET log_path = '" + here + "/outputs/../secret.txt'",
           std::string("UPDATE jobs SET folder = '/'"), "UPDATE runs SET output_dir = '" + here + "/x/../precious'",
           std::string("UPDATE stage_executions SET operation_id = '../../..'"),
           std::string("UPDATE stage_executions SET target = '$(touch PWNED)'"),
           std::string(
               "PRAGMA foreign_keys = OFF; UPDATE runs SET run_id = '../..'; UPDATE stage_executions SET run_id = "
               "'../..'; UPDATE jobs SET run_id = '../..'")}) {
    fs::copy_file(home() / "good.db", home() / "runs.db", fs::copy_options::overwrite_existing);
    ASSERT_EQ(sandbox_.Run({"sqlite3", "home/runs.db", edit}).status, 0) << edit;
    bool refused = false;
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"logs", "last"},
                                               {"show", "last"},
                                               {"resume", "last"},
                                               {"diagnostics", "last"},
                                               {"gc", "--yes"},
                                               {"prune", "--keep-last", "0", "--yes"}}) {
      const Ended ended = sandbox_.Engine(words);
      EXPECT_LE(ended.status, 3) << edit << " " << words[0] << ended.err;
      EXPECT_THAT(ended.out + ended.err, ::testing::Not(HasSubstr("not a log"))) << edit << " " << words[0];
      refused = refused || (ended.err.find("somebody edited") != std::string::npos);
    }
    EXPECT_TRUE(refused) << edit;
    EXPECT_EQ(sandbox_.Read("precious/.runs/rs_1/run.json"), "precious") << edit;
    EXPECT_FALSE(fs::exists(sandbox_.folder() / "PWNED"));
    EXPECT_TRUE(fs::exists(sandbox_.folder() / "secret.txt"));
  }
}

TEST_F(DatabaseTest, ARunWhoseFilesSomebodyEditedKeepsNoOtherOut) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: noop}}\n");
  for (const char* run_id : {"rs_1", "rs_2", "rs_3"}) {
    ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run_id}).status, 0);
  }
  const auto edit = [&](const fs::path& file, const std::string& from, const std::string& to) {
    std::string text = sandbox_.Read(file);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    std::ofstream(file) << text;
  };
  edit(sandbox_.run_folder("rs_1") / "run.json", "\"prompt_name\": \"w\"", "\"prompt_name\": \"../../etc\"");
  edit(sandbox_.run_folder("rs_3") / "events.jsonl", "\"stage\":\"a\"", "\"stage\":\"../a\"");
  fs::remove(home() / "runs.db");
  const Ended ended = sandbox_.Engine({"db", "rebuild", "outputs"});
  EXPECT_THAT(ended.out + ended.err, HasSubstr("found '../../etc' as the prompt_name of run rs_1"));
  EXPECT_THAT(ended.out + ended.err, HasSubstr("found '../a' as the stage of run rs_3"));
  EXPECT_EQ(sandbox_.Show("rs_2")["status"], "succeeded");
}

TEST_F(DatabaseTest, ADatabaseThatStaysLockedEndsTheEngineAndNotTheRun) {
  sandbox_.Write("w.yaml", kRetrying);
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test", "-j", "2"});
  Await("first try", [&] { return sandbox_.Read("count").find("flaky") != std::string::npos; });
  const pid_t holder = sandbox_.StartProgram({"sh", "-c",
                                              "(echo 'BEGIN IMMEDIATE;'; echo '.shell touch locked'; exec sleep 600) | "
                                              "sqlite3 -cmd '.timeout 10000' home/runs.db"});
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_TRUE(fs::exists(sandbox_.folder() / "locked"));
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("another process has kept it locked"));
  sandbox_.Kill(holder);
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "succeeded");
  ExpectOneEndForEachStart();
}

TEST_F(DatabaseTest, AFullDiskUnderTheDatabaseEndsTheEngineAndNotTheRun) {
  fs::create_directories(home());
  ASSERT_EQ(::mount("tmpfs", home().c_str(), "tmpfs", 0, "size=1m"), 0) << "needs root";
  mounted_ = true;
  const pid_t engine = StartWaiting();
  EXPECT_NE(sandbox_.Run({"dd", "if=/dev/zero", "of=home/filler", "bs=4k"}).status, 0);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("the disk is full"));
  fs::remove(home() / "filler");
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  ExpectWhole();
  ExpectOneEndForEachStart();
}

// What a file system that turns read-only does: SQLite cannot change anything any more.
TEST_F(DatabaseTest, ADatabaseThatRefusesChangesEndsTheEngineAndNotTheRun) {
  const pid_t engine = StartWaiting();
  ASSERT_EQ(
      sandbox_
          .Run({"sqlite3", "-cmd", ".timeout 10000", "home/runs.db",
                "CREATE TRIGGER no BEFORE UPDATE ON stage_executions BEGIN SELECT RAISE(ABORT, 'read-only'); END"})
          .status,
      0);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  ASSERT_EQ(sandbox_.Run({"sqlite3", "home/runs.db", "DROP TRIGGER no"}).status, 0);
  EXPECT_THAT(sandbox_.Engine({"runs"}).out, HasSubstr("interrupted"));
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  ExpectWhole();
  ExpectOneEndForEachStart();
}

TEST_F(DatabaseTest, ADamagedJournalIsContinued) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  std::ofstream(sandbox_.run_folder("rs_test") / "events.jsonl", std::ios::app) << std::string(300, '\0') << "\n#\n";
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Engine({"resume", "rs_test"}).status, 0);
  ExpectWhole();
  std::uint64_t seq = 0;
  for (const json& event : sandbox_.EngineJson({"events", "rs_test"})["events"]) EXPECT_EQ(event["seq"], ++seq);
  EXPECT_EQ(sandbox_.Engine({"events", "rs_test"}).status, 0);
}

}  // namespace
}  // namespace cosmos::testing
