#include "run/cleanup/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/status.h"
#include "run/run_inputs.h"
#include "run/run_lock.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kDay = 86'400'000;
const WallTime kNow = FromUnixMilliseconds(100 * kDay);

class PruneTest : public ::testing::Test {
 protected:
  PruneTest() {
    char name[] = "/tmp/cosmos-prune-XXXXXX";
    folder_ = fs::canonical(::mkdtemp(name));
    output_dir_ = folder_ / "outputs";
    store_ = RunStore::Open(folder_ / "runs.db");
  }
  ~PruneTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  void File(const fs::path& path, const std::string& text = "x") const {
    MakeFolders(path.parent_path());
    WriteFile(path, text);
  }
  RunPaths Paths(const std::string& run_id) const { return RunPaths(output_dir_, run_id); }
  fs::path Made(const std::string& run_id) const { return output_dir_ / "render" / run_id / "output.mp4"; }
  fs::path Log(const std::string& run_id) const { return output_dir_ / "render/logs" / ("run_" + run_id + ".log"); }

  // A run as one with a stage leaves it, that ended so many days ago and was started from `text`.
  void Run(const std::string& run_id, int days, Status status = Status::kSucceeded, const std::string& text = "") {
    RunRecord run;
    run.run_id = run_id;
    run.workflow = "w";
    run.output_dir = output_dir_;
    run.prompt_id = "ps_" + run_id;
    run.status = ToString(status);
    run.started_at = UnixMilliseconds(kNow) - days * kDay - 1000;
    run.ended_at = IsEnd(status) ? run.started_at + 1000 : 0;
    run.log_path = Log(run_id);
    store_->PutRun(run);
    store_->PutPrompt({run.prompt_id, "", "a city", "", 1});
    StageRecord stage;
    stage.run_id = run_id;
    stage.stage = "render";
    stage.target = "gpu1";
    stage.status = run.status;
    stage.log_path = Log(run_id);
    store_->PutStage(&stage);
    ArtifactRecord artifact;
    artifact.run_id = run_id;
    artifact.stage = "render";
    artifact.path = Made(run_id);
    store_->PutArtifact(&artifact);
    File(Made(run_id), "a video");
    File(Log(run_id), "a log");
    File(Log(run_id).string() + ".differs");
    File(Paths(run_id).engine_log());
    File(Paths(run_id).lock(), "");
    File(output_dir_ / run.prompt_id / "diagnostics" / run_id / "render.txt");
    RunInputs inputs;
    inputs.workflow_text = text;
    inputs.targets = {{"gpu1", {{"ssh", "gpu"}}}};
    SaveRunInputs(inputs, Paths(run_id).inputs());
  }
  // Items as `RUN_ID`, with `-` before those that stay.
  std::vector<std::string> Look(const PruneRules& rules) {
    pruner_ = std::make_unique<Pruner>(rules, store_.get(), kNow);
    pruner_->Look();
    std::vector<std::string> words;
    for (const PruneItem& item : pruner_->items()) words.push_back((item.removable ? "" : "-") + item.run.run_id);
    return words;
  }
  void Remove(const PruneRules& rules) {
    Look(rules);
    pruner_->Remove();
  }
  std::string ReasonOf(const std::string& run_id) const {
    for (const PruneItem& item : pruner_->items()) {
      if (item.run.run_id == run_id) return item.reason;
    }
    return "";
  }
  // All that is below the output folder.
  std::set<std::string> Tree() const {
    std::set<std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(output_dir_)) {
      tree.insert(entry.path().lexically_relative(output_dir_));
    }
    return tree;
  }

  static PruneRules All(bool outputs = false) { return {std::nullopt, 0, false, outputs}; }

  fs::path folder_;
  fs::path output_dir_;
  std::unique_ptr<RunStore> store_;
  std::unique_ptr<Pruner> pruner_;
};

TEST_F(PruneTest, ARunGoesWhenNoRuleKeepsIt) {
  Run("rs_40", 40);
  Run("rs_30", 30, Status::kFailed);
  Run("rs_20", 20);
  Run("rs_10", 10, Status::kCancelled);
  EXPECT_THAT(Look({25, std::nullopt, false, false}), ElementsAre("rs_30", "rs_40"));
  EXPECT_EQ(pruner_->kept_by_rules(), 2);
  EXPECT_EQ(ReasonOf("rs_30"), "ended 30 days ago");
  EXPECT_THAT(Look({30, std::nullopt, false, false}), ElementsAre("rs_30", "rs_40"));
  EXPECT_THAT(Look({31, std::nullopt, false, false}), ElementsAre("rs_40"));
  EXPECT_THAT(Look({std::nullopt, 3, false, false}), ElementsAre("rs_40"));
  EXPECT_THAT(Look({25, 3, false, false}), ElementsAre("rs_40"));
  EXPECT_THAT(Look({5, 1, false, false}), ElementsAre("rs_20", "rs_30", "rs_40"));
  EXPECT_THAT(Look({std::nullopt, std::nullopt, true, false}), ElementsAre("rs_10", "rs_30"));
  EXPECT_THAT(Look({std::nullopt, 1, true, false}), ElementsAre("rs_30"));  // counts what it looks at
  EXPECT_TRUE(store_->HasRun("rs_40"));
}

TEST_F(PruneTest, RemovesRecordsAndLogsAndKeepsWhatWasMade) {
  Run("rs_old", 40);
  Run("rs_new", 1);
  Symlink("logs/run_rs_old.log", output_dir_ / "render/run.log");
  Remove({25, std::nullopt, false, false});
  EXPECT_FALSE(store_->HasRun("rs_old"));
  EXPECT_THAT(store_->StagesOf("rs_old"), IsEmpty());
  EXPECT_THROW(store_->GetPrompt("ps_rs_old"), Error);
  EXPECT_EQ(store_->GetPrompt("ps_rs_new").text, "a city");
  EXPECT_THAT(Tree(),
              testing::UnorderedElementsAre(
                  ".runs", ".runs/rs_new", ".runs/rs_new/engine.log", ".runs/rs_new/lock", ".runs/rs_new/run.json",
                  "render", "render/logs", "render/logs/run_rs_new.log", "render/logs/run_rs_new.log.differs",
                  "render/rs_new", "render/rs_new/output.mp4", "render/rs_old", "render/rs_old/output.mp4", "ps_rs_new",
                  "ps_rs_new/diagnostics", "ps_rs_new/diagnostics/rs_new", "ps_rs_new/diagnostics/rs_new/render.txt"));
}

TEST_F(PruneTest, WhatWasMadeGoesWhenThatIsAskedFor) {
  Run("rs_old", 40);
  Remove(All(true));
  EXPECT_THAT(Tree(), ElementsAre(".runs"));
  EXPECT_EQ(pruner_->items()[0].hosts, (std::set<std::string>{"gpu1"}));
  EXPECT_TRUE(pruner_->items()[0].removed);
}

TEST_F(PruneTest, TellsWhatIsFreed) {
  Run("rs_old", 40);
  Look(All());
  const std::int64_t logs = pruner_->items()[0].files.size;
  Look(All(true));
  EXPECT_EQ(pruner_->items()[0].files.size, logs + 7);  // "a video"
  // A log that stands in the job's folder as well is freed once, and not at all while it has a third name.
  MakeFolders(Paths("rs_old").folder() / "jobs");
  fs::create_hard_link(Log("rs_old"), Paths("rs_old").folder() / "jobs/run.log");
  Look(All());
  EXPECT_EQ(pruner_->items()[0].files.size, logs);
  fs::create_hard_link(Log("rs_old"), folder_ / "mine.log");
  Look(All());
  EXPECT_EQ(pruner_->items()[0].files.size, logs - 5);  // "a log"
}

TEST_F(PruneTest, WhatHasNotEndedStays) {
  Run("rs_open", 40, Status::kRunning);
  Run("rs_retried", 40, Status::kFailed);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(Paths("rs_retried").lock());
    WriteFile(folder_ / "locked", "x");
    ::pause();
  }
  while (!fs::exists(folder_ / "locked")) ::usleep(1000);
  EXPECT_THAT(Look(All(true)), testing::UnorderedElementsAre("-rs_open", "-rs_retried"));
  EXPECT_THAT(ReasonOf("rs_open"), HasSubstr("interrupted: resume or cancel it"));
  EXPECT_EQ(ReasonOf("rs_retried"), "it is active");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(Look(All(true)), testing::UnorderedElementsAre("-rs_open", "rs_retried"));
}

TEST_F(PruneTest, ARunThatBeginsAgainMeanwhileStays) {
  Run("rs_a", 40, Status::kFailed);
  Run("rs_b", 41, Status::kFailed);
  Look(All(true));
  RunRecord run = store_->GetRun("rs_a");
  run.status = "running";
  store_->PutRun(run);
  pruner_->Remove();
  EXPECT_THAT(ReasonOf("rs_a"), HasSubstr("could not be removed: it goes on, or is gone, meanwhile"));
  EXPECT_TRUE(fs::exists(Made("rs_a")));
  EXPECT_TRUE(fs::exists(Paths("rs_a").inputs()));
  EXPECT_FALSE(store_->HasRun("rs_b"));
}

TEST_F(PruneTest, WhatOthersWereStartedFromStays) {
  Run("rs_first", 50);
  Run("rs_middle", 40, Status::kSucceeded, "input_video: " + Made("rs_first").string());
  Run("rs_last", 30, Status::kSucceeded, "input: outputs/render/rs_middle/output.mp4");
  Run("rs_other", 45, Status::kSucceeded, "rs_first is only spoken of");
  const PruneRules keep_last = {std::nullopt, 1, false, false};
  EXPECT_THAT(Look(keep_last), ElementsAre("-rs_middle", "rs_other", "-rs_first"));
  EXPECT_EQ(ReasonOf("rs_middle"), "what it made is an input of rs_last, which stays");
  EXPECT_EQ(ReasonOf("rs_first"), "what it made is an input of rs_middle, which stays");
  const PruneRules outputs_too = {std::nullopt, 1, false, true};
  EXPECT_THAT(Look(outputs_too), ElementsAre("rs_middle", "rs_other", "rs_first"));
  EXPECT_EQ(ReasonOf("rs_middle"), "ended 40 days ago; what it made is an input of rs_last, which stays");
  Run("rs_open", 1, Status::kRunning, "input: outputs/render/rs_first/output.mp4");
  EXPECT_THAT(Look({std::nullopt, 0, false, true}),
              ElementsAre("-rs_open", "rs_last", "rs_middle", "rs_other", "-rs_first"));
}

TEST_F(PruneTest, ASecondOneFinishesWhatACrashLeft) {
  Run("rs_a", 40);
  fs::remove(Paths("rs_a").inputs());
  fs::remove(Log("rs_a"));
  Remove(All());
  EXPECT_FALSE(store_->HasRun("rs_a"));
  EXPECT_FALSE(fs::exists(Paths("rs_a").folder()));
  Run("rs_b", 40);
  fs::remove_all(output_dir_);
  Remove(All(true));
  EXPECT_FALSE(store_->HasRun("rs_b"));
}

TEST_F(PruneTest, NothingOutsideTheOutputFolderAndNothingOfOthersIsTouched) {
  Run("rs_a", 40);
  const fs::path elsewhere = folder_ / "elsewhere";
  File(elsewhere / "rs_a/output.mp4");
  File(elsewhere / "logs/run_rs_a.log");
  ArtifactRecord artifact;
  artifact.run_id = "rs_a";
  artifact.stage = "render";
  for (const fs::path& path : {elsewhere / "rs_a/output.mp4", output_dir_ / "linked/rs_a/output.mp4",
                               output_dir_ / ".." / "elsewhere/rs_a/output.mp4", output_dir_ / "mine.mp4"}) {
    artifact.id = 0;
    artifact.path = path;
    store_->PutArtifact(&artifact);
  }
  fs::create_directory_symlink(elsewhere, output_dir_ / "linked");
  File(output_dir_ / "mine.mp4");
  // A log that another run wrote, and one outside.
  StageRecord stage;
  stage.run_id = "rs_a";
  for (const fs::path& log :
       {Log("rs_abc"), elsewhere / "logs/run_rs_a.log", output_dir_ / "linked/logs/run_rs_a.log"}) {
    stage.id = 0;
    stage.stage = log.string().substr(log.string().size() - 12) + std::to_string(log.string().size());
    stage.log_path = log;
    store_->PutStage(&stage);
  }
  File(Log("rs_abc"));
  Remove(All(true));
  EXPECT_FALSE(store_->HasRun("rs_a"));
  EXPECT_FALSE(fs::exists(Made("rs_a")));
  for (const fs::path& path : {elsewhere / "rs_a/output.mp4", elsewhere / "logs/run_rs_a.log", Log("rs_abc"),
                               output_dir_ / "mine.mp4", output_dir_ / "linked"}) {
    EXPECT_TRUE(fs::exists(path)) << path;
  }
}

TEST_F(PruneTest, ARunWithAnUnluckyNameTakesNothingOfOthers) {
  Run("rs_other", 1);
  Run("render", 40);  // as the folder of its stage is called
  Run("logs", 40);
  Remove({25, std::nullopt, false, true});
  EXPECT_FALSE(store_->HasRun("render"));
  EXPECT_FALSE(store_->HasRun("logs"));
  EXPECT_FALSE(fs::exists(Made("render")));
  EXPECT_TRUE(fs::exists(Made("rs_other")));
  EXPECT_TRUE(fs::exists(Log("rs_other")));
  EXPECT_TRUE(fs::exists(Paths("rs_other").inputs()));
}

}  // namespace
}  // namespace cosmos
