#include "run/targets/command_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/files.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

class CommandLogTest : public ::testing::Test {
 protected:
  CommandLogTest() {
    char name[] = "/tmp/command_log_test-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / "commands.jsonl";
  }
  ~CommandLogTest() override { fs::remove_all(folder_); }

  TargetOperation Run(std::string_view script, int exit_status = 0) const {
    TargetOperation operation;
    operation.began = time_;
    operation.took = milliseconds(1500);
    operation.target = "gpu1";
    operation.name = "run";
    operation.what = script;
    operation.exit_status = exit_status;
    return operation;
  }
  TargetOperation Wait() const {
    TargetOperation operation = Run("/job", -1);
    operation.name = "wait";
    operation.repeats = true;
    return operation;
  }
  json All(const std::string& target = "", std::size_t limit = 100000) const {
    return ReadCommands(path_, target, limit);
  }

  fs::path folder_;
  fs::path path_;
  WallTime time_ = FromUnixMilliseconds(1'800'000'000'000);
};

TEST_F(CommandLogTest, ALineSaysWhatWasAskedAndWhatItCameTo) {
  const Masker masker({"gold-token"});
  CommandLog log(path_, &masker);
  log.Record(Run("set -e\n  echo \"gold-token\"\n", 3));
  TargetOperation failed = Run("cat", -1);
  failed.kind = FailureKind::kDiskFull;
  failed.error = "No space left, gold-token";
  log.Record(failed);
  const json commands = All();
  EXPECT_EQ(commands[0], (json{{"time", "2027-01-15T08:00:00.000Z"},
                               {"target", "gpu1"},
                               {"operation", "run"},
                               {"what", "set -e echo \"***\" "},
                               {"outcome", "failed"},
                               {"exit_status", 3},
                               {"duration", 1.5}}));
  EXPECT_EQ(commands[1]["outcome"], "error");
  EXPECT_EQ(commands[1]["kind"], "disk_full");
  EXPECT_EQ(commands[1]["error"], "No space left, ***");
  EXPECT_TRUE(commands[1]["exit_status"].is_null());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 077, 0u);
}

TEST_F(CommandLogTest, TextsAreCutOnlyOnceTheyAreMasked) {
  const Masker masker({"gold-token"});
  CommandLog log(path_, &masker);
  log.Record(Run(std::string(295, 'x') + "gold-token" + std::string(300, 'y') + "\xff"));
  const std::string what = All()[0]["what"];
  EXPECT_EQ(what.find("gold"), what.npos);
  EXPECT_LT(what.size(), 310u);
}

TEST_F(CommandLogTest, WhatIsAskedAgainAndAgainDoesNotFloodIt) {
  const Masker masker;
  CommandLog log(path_, &masker);
  for (int i = 0; i < 100; ++i, time_ += seconds(2)) log.Record(Wait());
  EXPECT_EQ(All().size(), 4u);  // at 0, 60, 120 and 180 s
  EXPECT_EQ(All()[1]["repeated"], 29);
  TargetOperation lost = Wait();
  lost.kind = FailureKind::kConnectionLost;
  log.Record(lost);
  log.Record(lost);
  log.Record(Wait());
  const json commands = All();
  EXPECT_EQ(commands.size(), 6u);
  EXPECT_EQ(commands[4]["outcome"], "error");
  EXPECT_EQ(commands[5]["repeated"], 1);
}

TEST_F(CommandLogTest, ItIsBoundedAndTheLatestStay) {
  const Masker masker;
  CommandLog log(path_, &masker);
  const std::string script(300, 's');
  for (int i = 0; i < 20000; ++i) log.Record(Run(script + std::to_string(i), i == 19999 ? 9 : 0));
  EXPECT_LT(fs::file_size(path_) + fs::file_size(folder_ / "commands.1.jsonl"), 3u << 20);
  const json commands = All();
  EXPECT_GT(commands.size(), 2000u);
  EXPECT_EQ(commands.back()["exit_status"], 9);
  EXPECT_EQ(All("gpu1", 2).size(), 2u);
  EXPECT_EQ(All("gpu1", 2).back()["exit_status"], 9);
  EXPECT_EQ(All("other").size(), 0u);
}

TEST_F(CommandLogTest, ALineThatWasCutIsLeftOut) {
  const Masker masker;
  CommandLog(path_, &masker).Record(Run("one"));
  AppendToFile(path_, "{\"time\": \"2027-");
  EXPECT_EQ(All().size(), 1u);
  EXPECT_EQ(ReadCommands(folder_ / "none.jsonl", "", 10), json::array());
}

TEST_F(CommandLogTest, AFileThatCannotBeWrittenChangesNothing) {
  const Masker masker;
  CommandLog log(folder_ / "missing" / "commands.jsonl", &masker);
  log.Record(Run("one"));
  EXPECT_EQ(All().size(), 0u);
}

}  // namespace
}  // namespace cosmos
