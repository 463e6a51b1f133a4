#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

unsigned ModeOf(const fs::path& path) { return static_cast<unsigned>(fs::symlink_status(path).permissions()); }

TEST(Files, OfARunAreItsOwnersAndNothingIsWritableByOthers) {
  Sandbox sandbox;
  sandbox.Write("w.yaml", R"(
version: 1
name: w
stages:
  good: {uses: shell, with: {run: 'echo x | tee "$COSMOS_OUTPUT_DIR/a.txt"', outputs: {text: a.txt}}}
  bad: {uses: shell, with: {run: 'echo y; exit 3'}}
)");
  EXPECT_EQ(sandbox.Run({"sh", "-c", "umask 000; exec \"$0\" run w.yaml", Sandbox::program()}).status, 1);
  std::vector<std::string> writable, readable;
  std::size_t facts = 0;
  for (const auto& entry : fs::recursive_directory_iterator(sandbox.outputs())) {
    if (entry.is_symlink()) continue;
    const unsigned mode = ModeOf(entry.path());
    if ((mode & 02) != 0) writable.push_back(entry.path());
    const std::string path = entry.path().string();
    const bool output = entry.path().filename() == "a.txt";
    const bool fact =
        path.find("/logs") != path.npos || path.find("/diagnostics") != path.npos || path.find("/.runs/") != path.npos;
    const std::string name = entry.path().filename();
    if (!fact || output || name == "jobs" || name == "diagnostics") continue;
    ++facts;
    if ((mode & 077) != 0 && path.find("/jobs/") == path.npos) readable.push_back(path);
  }
  EXPECT_THAT(writable, IsEmpty());
  EXPECT_THAT(readable, IsEmpty());
  EXPECT_GT(facts, 20u);
}

// Opening a FIFO would wait for ever.
// What a job does to its own folder is its own failure: the other stages run, and the run ends.
TEST(Files, OfAJobThatItRemovesOrFillsFailItAlone) {
  for (const std::string& what : {std::string("cd /; rm -rf \"$J\""), std::string("mv \"$J\" \"$J.moved\""),
                                  std::string("cd \"$J\"; truncate -s 10G run.log exit_status pid")}) {
    for (const char* secrets : {"", "secrets: {token: {env: TOKEN}}\n"}) {
      if (*secrets != '\0' && what.find("truncate") != std::string::npos) continue;  // it is masked byte by byte
      Sandbox sandbox;
      sandbox.SetEnvironment("TOKEN=gold-token");
      sandbox.Write("w.yaml", std::string("version: 1\nname: w\n") + secrets +
                                  "stages:\n  a: {uses: shell, with: {run: 'echo one; J=${COSMOS_OUTPUT_DIR%/out}; " +
                                  what + "; exit 4'}}\n  b: {uses: shell, with: {run: 'echo two >two'}}\n");
      const Ended ended = sandbox.Engine({"run", "w.yaml", "--run-id", "rs_1"});
      EXPECT_EQ(ended.status, 1) << what << ": " << ended.out << ended.err;
      EXPECT_EQ(sandbox.Read("two"), "two\n") << what;
      EXPECT_EQ(sandbox.Show("rs_1")["status"], "failed") << what;
    }
  }
}

TEST(Files, ThatAJobPutsInThePlaceOfItsLogHoldNothingUp) {
  for (const std::string put : {"mkfifo", "ln -s /dev/zero", "ln -s /etc/hostname"}) {
    Sandbox sandbox;
    sandbox.SetEnvironment("TOKEN=gold-token");
    sandbox.Write("w.yaml",
                  "version: 1\nname: w\n"
                  "secrets: {token: {env: TOKEN}}\n"
                  "stages:\n  a: {uses: shell, with: {run: 'echo one; cd \"$COSMOS_OUTPUT_DIR/..\"; rm run.log; " +
                      put + " run.log; sleep 0.5; echo two'}}\n");
    const Ended ended = sandbox.Run({"timeout", "30", Sandbox::program(), "run", "w.yaml"});
    EXPECT_EQ(ended.status, 0) << put << ": " << ended.out << ended.err;
    const std::string log = sandbox.Read("outputs/a/logs/run_" + sandbox.Show()["run_id"].get<std::string>() + ".log");
    EXPECT_THAT(log, HasSubstr("one\n"));
    EXPECT_THAT(log, HasSubstr("two\n"));
  }
}

TEST(Files, ThatStandInThePlaceOfOursAreRefusedOrLeftAlone) {
  Sandbox sandbox;
  sandbox.Write("w.yaml", "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'exit 1'}}\n");
  ASSERT_EQ(sandbox.Engine({"run", "w.yaml"}).status, 1);
  const std::string run_id = sandbox.Show()["run_id"];
  const fs::path folder = sandbox.run_folder(run_id);
  const fs::path log = sandbox.outputs() / "a/logs" / ("run_" + run_id + ".log");
  for (const fs::path& path : {log, folder / "events.jsonl", folder / "engine.log", folder / "run.json"}) {
    fs::rename(path, path.string() + ".aside");
    ASSERT_EQ(sandbox.Run({"mkfifo", path}).status, 0);
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"logs", run_id}, {"show", run_id}, {"events", run_id}, {"diagnostics", run_id}, {"retry", run_id}}) {
      std::vector<std::string> all = {"timeout", "30", Sandbox::program()};
      all.insert(all.end(), words.begin(), words.end());
      const Ended ended = sandbox.Run(all);
      EXPECT_NE(ended.status, 124) << path << " " << words[0];
      EXPECT_LT(ended.status, 128) << path << " " << words[0];
    }
    fs::remove(path);
    fs::rename(path.string() + ".aside", path);
  }
}

}  // namespace
}  // namespace cosmos::testing
