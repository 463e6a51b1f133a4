// `prune`: runs that have ended are forgotten, and nothing else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <set>

#include "support/remote_host.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PruneTest : public ::testing::Test {
 protected:
  PruneTest() {
    sandbox_.Write("w.yaml", R"(
version: 1
name: w
params: {code: {type: integer, default: 0}, input: {type: string, default: ""}}
stages:
  enhance: {uses: prompt-enhancement, with: {prompt: a city}}
  a:
    uses: shell
    needs: enhance
    with:
      run: echo "made of ${{ params.input }}" >"$COSMOS_OUTPUT_DIR/a.txt"; exit ${{ params.code }}
      outputs: {text: a.txt}
)");
  }
  void Run(const std::string& run_id, int status = 0, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"run", "w.yaml", "--run-id", run_id};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(sandbox_.Engine(words).status, status);
  }
  void Fail(const std::string& run_id) { Run(run_id, 1, {"-p", "code=3"}); }
  std::vector<std::string> Runs() {
    std::vector<std::string> ids;
    const json report = sandbox_.EngineJson({"runs"});
    for (const json& run : report["runs"]) ids.push_back(run["run_id"]);
    return ids;
  }
  // Files below the output folder, those that have the run's id in their path.
  std::vector<std::string> FilesWith(const std::string& run_id) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(sandbox_.outputs())) {
      const std::string path = entry.path().lexically_relative(sandbox_.outputs());
      if (!entry.is_directory() && path.find(run_id) != path.npos) files.push_back(path);
    }
    return files;
  }
  std::size_t Enhancements() {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(sandbox_.outputs() / "prompt_enhancement")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  Sandbox sandbox_;
};

TEST_F(PruneTest, SaysWhatIsMissingAndAsksNobodyInAPipe) {
  Run("rs_a");
  Ended ended = sandbox_.Engine({"prune"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("found none of --keep-days, --keep-last and --failed; nothing was removed"));
  ended = sandbox_.Engine({"prune", "--keep-last", "0"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("there is no terminal to ask for consent on; nothing was removed"));
  ended = sandbox_.Engine({"prune", "--keep-days", "soon", "--yes"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("found 'soon' after --keep-days"));
  EXPECT_THAT(Runs(), ElementsAre("rs_a"));
}

TEST_F(PruneTest, ShowsFirstAndRemovesThen) {
  Run("rs_a");
  Fail("rs_b");
  Run("rs_c");
  Ended ended = sandbox_.Engine({"prune", "--keep-last", "1", "--dry-run"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("1 further run kept"), HasSubstr("2 runs to remove with records and logs"),
                               HasSubstr("what they made is kept (--outputs: it goes too)")));
  EXPECT_THAT(Runs(), ElementsAre("rs_c", "rs_b", "rs_a"));
  ended = sandbox_.Engine({"prune", "--keep-last", "1", "--yes"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("removed 2 of 2, "));
  EXPECT_THAT(Runs(), ElementsAre("rs_c"));
  EXPECT_THAT(FilesWith("rs_a"), ElementsAre("a/rs_a/a.txt"));
  EXPECT_THAT(FilesWith("rs_b"), IsEmpty());
  EXPECT_EQ(sandbox_.Engine({"prune", "--keep-last", "1", "--yes"}).out,
            "1 further run kept by --keep-days and --keep-last\nnothing to remove\n");
  // What stays works as before.
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_c", "--from", "a"}).status, 0);
}

TEST_F(PruneTest, RemovesWhatWasMadeWhenAskedTo) {
  Run("rs_a");
  Fail("rs_b");
  const json report = sandbox_.EngineJson({"prune", "--keep-last", "0", "--outputs", "--yes"});
  EXPECT_EQ(report["runs"].size(), 2u);
  for (const json& run : report["runs"]) EXPECT_EQ(run["removed"], true) << run;
  EXPECT_GT(report["freed"], 0);
  EXPECT_TRUE(fs::is_empty(sandbox_.outputs() / ".runs"));
  EXPECT_EQ(std::distance(fs::directory_iterator(sandbox_.outputs()), fs::directory_iterator()), 1);
}

TEST_F(PruneTest, OnlyFailedOnesAndNothingThatOthersAreMadeOf) {
  Run("rs_a");
  Fail("rs_b");
  Run("rs_c", 0, {"-p", "input=run:rs_a/a/text"});
  EXPECT_EQ(sandbox_.Engine({"prune", "--failed", "--yes"}).status, 0);
  EXPECT_THAT(Runs(), ElementsAre("rs_c", "rs_a"));
  const Ended ended = sandbox_.Engine({"prune", "--keep-last", "1", "--yes"});
  EXPECT_THAT(ended.out, HasSubstr("what it made is an input of rs_c, which stays"));
  EXPECT_THAT(Runs(), ElementsAre("rs_c", "rs_a"));
  EXPECT_EQ(sandbox_.Engine({"prune", "--keep-last", "1", "--outputs", "--yes"}).status, 0);
  EXPECT_THAT(Runs(), ElementsAre("rs_c"));
  EXPECT_EQ(Enhancements(), 3u);  // what rs_c made and its log, and what rs_b made
}

TEST_F(PruneTest, RunsThatHaveNotEndedStay) {
  sandbox_.Write("long.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'sleep 1000'}}}\n");
  std::vector<pid_t> engines;
  for (const char* run_id : {"rs_active", "rs_interrupted"}) {
    engines.push_back(sandbox_.StartEngine({"run", "long.yaml", "--run-id", run_id}));
    Await("job", [&] { return fs::exists(sandbox_.run_folder(run_id) / "jobs/a/1/pid"); });
    Await("record", [&] { return sandbox_.Show(run_id)["stages"][0]["status"] == "running"; });
  }
  ::kill(engines[1], SIGKILL);
  sandbox_.Wait(engines[1]);
  const Ended ended = sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("it is active"), HasSubstr("it was interrupted: resume or cancel it"),
                               HasSubstr("nothing to remove")));
  EXPECT_EQ(sandbox_.Engine({"cancel", "rs_interrupted"}).status, 0);
  EXPECT_EQ(sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"}).status, 0);
  EXPECT_THAT(Runs(), ElementsAre("rs_active"));
  ::kill(engines[0], SIGINT);
  EXPECT_EQ(sandbox_.Wait(engines[0]), 130);
}

TEST_F(PruneTest, TellsWhatStaysOnHosts) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  const RemoteHost host;
  sandbox_.Write("w.yaml", host.Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'true'}}}\n"));
  Run("rs_a");
  const Ended ended = sandbox_.Engine({"prune", "--keep-last", "0", "--dry-run"});
  EXPECT_THAT(ended.err, AllOf(HasSubstr("of what they left on gpu1 it can no longer be told whose it is"),
                               HasSubstr("call `cosmos-engine gc` first")));
}

TEST_F(PruneTest, AFolderThatCannotBeRemovedIsToldAndTheRecordStays) {
  Run("rs_a");
  const std::string log = sandbox_.run_folder("rs_a") / "engine.log";
  if (sandbox_.Run({"chattr", "+i", log}).status != 0) GTEST_SKIP() << "the file system here knows no chattr";
  const Ended ended = sandbox_.Engine({"prune", "--keep-last", "0", "--yes"});
  sandbox_.Run({"chattr", "-i", log});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, HasSubstr("rs_a could not be removed: cannot remove"));
  EXPECT_THAT(Runs(), ElementsAre("rs_a"));
  EXPECT_EQ(sandbox_.Engine({"prune", "--keep-last", "0", "--yes"}).status, 0);
  EXPECT_THAT(Runs(), IsEmpty());
}

}  // namespace
}  // namespace cosmos::testing
