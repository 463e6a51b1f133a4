#include "run/cleanup/garbage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/files.h"
#include "core/status.h"
#include "run/run_inputs.h"
#include "run/run_lock.h"
#include "run/run_paths.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const json kHere = {{"local", json::object()}};
const json kHost = {{"ssh", {{"host", "gpu"}, {"user", "me"}}}, {"workdir", "/data"}};

class GarbageTest : public ::testing::Test {
 protected:
  GarbageTest() : run_id_("rs_garbage_" + std::to_string(::getpid())) {
    char name[] = "/tmp/cosmos-garbage-XXXXXX";
    folder_ = ::mkdtemp(name);
    store_ = RunStore::Open(folder_ / "runs.db");
  }
  ~GarbageTest() override {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    store_.reset();
    fs::remove_all(folder_);
  }

  void PutRun(const std::string& run_id, Status status) {
    RunRecord run;
    run.run_id = run_id;
    run.workflow = "w";
    run.output_dir = folder_ / "outputs";
    run.prompt_name = "w";
    run.started_at = 1;
    run.status = ToString(status);
    store_->PutRun(run);
  }
  RunPaths Paths(const std::string& run_id) const { return RunPaths(folder_ / "outputs", run_id); }
  // As a run with a stage on the target leaves it.
  void PutRunOn(const std::string& run_id, Status status, const std::string& target, const json& config) {
    PutRun(run_id, status);
    StageRecord stage;
    stage.run_id = run_id;
    stage.stage = "a";
    stage.uses = "shell";
    stage.target = target;
    stage.status = ToString(status);
    store_->PutStage(&stage);
    RunInputs inputs;
    inputs.targets = {{target, config}, {"unused", {{"ssh", "nowhere"}}}};
    MakeFolders(Paths(run_id).folder());
    SaveRunInputs(inputs, Paths(run_id).inputs());
  }
  // A process that says that it belongs to the run.
  pid_t Leftover() {
    const std::string id = "COSMOS_RUN_ID=" + run_id_;
    const std::string output = "COSMOS_OUTPUT_DIR=" + (Paths(run_id_).folder() / "jobs/a/1/out").string();
    const pid_t child = ::fork();
    if (child == 0) {
      ::setsid();
      ::execl("/usr/bin/env", "env", id.c_str(), output.c_str(), "sleep", "1000", nullptr);
      ::_exit(127);
    }
    children_.push_back(child);
    return child;
  }
  // A process that holds the run's lock, as an engine does.
  pid_t Engine() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const RunLock lock(Paths(run_id_).lock());
      EXPECT_EQ(::write(ends[1], "x", 1), 1);
      for (;;) ::pause();
    }
    children_.push_back(child);
    char ready = 0;
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    return child;
  }
  void End(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::erase(children_, child);
  }
  std::vector<GarbagePlace> Places(const std::map<std::string, json>& targets) {
    return GarbagePlaces(targets, store_.get());
  }
  // Looks until it sees something of the run; other tests have processes on this machine too.
  const GarbageItem& LookForItem(GarbageCollector* collector) {
    for (int i = 0; i < 1000; ++i) {
      collector->Look();
      for (const GarbageItem& item : collector->items()) {
        if (item.run_id == run_id_) return item;
      }
      ::usleep(10000);
    }
    throw std::runtime_error("there is no item of " + run_id_);
  }

  const std::string run_id_;
  fs::path folder_;
  std::unique_ptr<RunStore> store_;
  std::vector<pid_t> children_;
};

TEST_F(GarbageTest, EachWorkingFolderOfAHostHasItsTarget) {
  const json other = {{"ssh", kHost["ssh"]}, {"workdir", "/scratch"}}, same = kHost;
  const std::vector<GarbagePlace> places = Places({{"a", kHost}, {"b", other}, {"c", same}, {"local", kHere}});
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].target, "a");
  EXPECT_THAT(places[0].target_of_workdir, ElementsAre(std::pair<const std::string, std::string>("/data", "a"),
                                                       std::pair<const std::string, std::string>("/scratch", "b")));
}

TEST_F(GarbageTest, ARunThatGoesOnAfterItWasListedIsKept) {
  PutRun(run_id_, Status::kFailed);
  MakeFolders(Paths(run_id_).folder());
  const pid_t leftover = Leftover();
  GarbageCollector collector(Places({{"local", kHere}})[0], store_.get());
  const GarbageItem& item = LookForItem(&collector);
  EXPECT_TRUE(item.removable);

  const pid_t engine = Engine();
  collector.Remove();
  EXPECT_FALSE(item.removed);
  EXPECT_THAT(item.reason, HasSubstr("another engine (process " + std::to_string(engine) + ")"));
  End(engine);
  PutRun(run_id_, Status::kRunning);
  collector.Remove();
  EXPECT_FALSE(item.removed);
  EXPECT_THAT(item.reason, HasSubstr("goes on meanwhile"));
  EXPECT_TRUE(FindProcess(leftover));

  PutRun(run_id_, Status::kFailed);
  collector.Remove();
  EXPECT_TRUE(item.removed) << item.reason;
  EXPECT_FALSE(FindProcess(leftover));
  EXPECT_EQ(collector.problem(), "");
}

TEST_F(GarbageTest, StandingIsToldByRecordAndLock) {
  EXPECT_EQ(StandingOf(run_id_, store_.get()), RunStanding::kUnknown);
  PutRun(run_id_, Status::kRunning);
  EXPECT_EQ(StandingOf(run_id_, store_.get()), RunStanding::kInterrupted);
  PutRun(run_id_, Status::kCancelled);
  EXPECT_EQ(StandingOf(run_id_, store_.get()), RunStanding::kEnded);
  MakeFolders(Paths(run_id_).folder());
  Engine();  // as of a retry that begins
  EXPECT_EQ(StandingOf(run_id_, store_.get()), RunStanding::kActive);
}

TEST_F(GarbageTest, PlacesAreMachinesAndKnownByTheRunsOnThem) {
  json renamed = kHost;
  renamed["workdir"] = "~/other";
  renamed["container"] = {{"image", "x"}, {"sudo", true}};
  PutRunOn("rs_1", Status::kFailed, "gpu1", kHost);
  PutRunOn("rs_2", Status::kFailed, "gpu2", {{"ssh", "gone"}});
  PutRunOn("rs_3", Status::kFailed, "gpu3", {{"ssh", "no folder"}});
  fs::remove_all(Paths("rs_3").folder());
  const std::vector<GarbagePlace> places = Places({{"local", kHere}, {"new", renamed}});
  ASSERT_EQ(places.size(), 3u);
  EXPECT_TRUE(places[0].IsLocal());
  EXPECT_THAT(places[0].workdirs, IsEmpty());
  EXPECT_EQ(places[1].target, "new");
  EXPECT_THAT(places[1].names, ElementsAre("gpu1", "new"));
  EXPECT_THAT(places[1].workdirs, ElementsAre("/data", "~/other"));
  EXPECT_THAT(places[1].engines, ElementsAre(ContainerEngine{"docker", true}));
  EXPECT_EQ(places[2].target, "gpu2");
}

TEST_F(GarbageTest, EnginesOfStagesAreKnownByTheirRecords) {
  PutRunOn("rs_1", Status::kFailed, "gpu1", kHost);
  ContainerRecord record;
  record.run_id = "rs_1";
  record.stage = "a";
  record.target = "gpu1";
  record.engine = "podman";
  record.name = "cosmos_rs_1_a_1";
  record.image = "x";
  record.status = "running";
  store_->PutContainer(&record);
  EXPECT_THAT(Places({{"gpu1", kHost}})[0].engines, ElementsAre(ContainerEngine{"podman", false}));
}

TEST_F(GarbageTest, RunsThatHaveNotEndedMayNeedWhatIsOnTheirTargets) {
  const GarbagePlace place = Places({{"gpu1", kHost}})[0];
  PutRunOn("rs_ended", Status::kSucceeded, "gpu1", kHost);
  PutRunOn("rs_elsewhere", Status::kRunning, "gpu2", {{"ssh", "other"}});
  EXPECT_THAT(OpenRunsOn(place, store_.get()), IsEmpty());
  PutRunOn("rs_open", Status::kRunning, "gpu9", kHost);
  EXPECT_THAT(OpenRunsOn(place, store_.get()), ElementsAre("rs_open"));
  fs::remove_all(Paths("rs_elsewhere").folder());  // nobody knows any more
  EXPECT_EQ(OpenRunsOn(place, store_.get()).size(), 2u);
}

}  // namespace
}  // namespace cosmos
