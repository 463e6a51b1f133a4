#include "run/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    char name[] = "/tmp/cosmos-recovery-XXXXXX";
    folder_ = ::mkdtemp(name);
    journal_ = folder_ / "events.jsonl";
    for (const std::string stage : {"a", "b", "c"}) {
      StageInstance instance;
      instance.stage = stage;
      if (stage != "a") instance.needs = {instances_.size() - 1};
      instances_.push_back(instance);
    }
  }
  ~RecoveryTest() override { fs::remove_all(folder_); }

  static StageRecord Record(const std::string& stage, const std::string& status, int attempt = 1) {
    StageRecord record;
    record.run_id = "rs_1";
    record.stage = stage;
    record.status = status;
    record.attempt = attempt;
    record.operation_id = "op_" + stage;
    record.started_at = 1000;
    return record;
  }
  void JournalHas(const std::string& type, const std::string& stage = "", int attempt = 1) {
    nlohmann::json event = {{"type", type}, {"seq", ++seq_}};
    if (!stage.empty()) {
      event["stage"] = stage;
      event["attempt"] = attempt;
    }
    AppendToFile(journal_, event.dump() + "\n");
  }
  std::vector<std::string> Published(const History& history) {
    SystemClock clock;
    EventBus bus(&clock, 0);
    std::vector<std::string> events;
    bus.Subscribe(
        {"test", Subscription::Overflow::kBlock, 100, [](const EventPayload&) { return true; },
         [&](const Event& e) { events.push_back(e.context.stage + " " + std::string(TypeName(e.payload))); }});
    history.PublishMissing(&bus);
    bus.Close();
    return events;
  }

  fs::path folder_, journal_;
  int seq_ = 0;
  std::vector<StageInstance> instances_;
};

TEST_F(RecoveryTest, ResumeKeepsWhatEndedAndGoesOnWithWhatWasBegun) {
  StageRecord done = Record("a", "succeeded");
  done.outputs = R"({"video": "/x.mp4"})";
  JournalHas("run_started");
  JournalHas("stage_started", "a");
  JournalHas("stage_finished", "a");
  JournalHas("stage_started", "b");
  const History history({done, Record("b", "running")}, journal_);
  EXPECT_TRUE(history.run_is_open());
  const std::vector<InstanceState> states = history.Resume(instances_);
  EXPECT_EQ(states[0].status, Status::kSucceeded);
  EXPECT_EQ(states[0].outputs["video"], "/x.mp4");
  EXPECT_EQ(states[1].status, Status::kPending);
  EXPECT_TRUE(states[1].begun);
  EXPECT_TRUE(states[1].start_published);
  EXPECT_EQ(states[1].operation_id, "op_b");
  EXPECT_EQ(states[1].started_at, 1000);
  EXPECT_EQ(states[2].status, Status::kPending);
  EXPECT_FALSE(states[2].begun);
}

TEST_F(RecoveryTest, AStartThatOnlyTheJournalKnowsIsNotToldTwice) {
  JournalHas("run_started");
  JournalHas("stage_started", "a");
  const InstanceState state = History({}, journal_).Resume(instances_)[0];
  EXPECT_FALSE(state.begun);
  EXPECT_TRUE(state.start_published);
}

TEST_F(RecoveryTest, ResumeTriesAgainOnlyWhatItsPolicyAllows) {
  StageRecord failed = Record("a", "failed");
  failed.failure_kind = "exit_code";
  EXPECT_EQ(History({failed}, journal_).Resume(instances_)[0].status, Status::kFailed);
  instances_[0].retry.attempts = 2;
  const InstanceState again = History({failed}, journal_).Resume(instances_)[0];
  EXPECT_EQ(again.status, Status::kPending);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_FALSE(again.begun);
}

TEST_F(RecoveryTest, RetryGivesWhatDidNotSucceedANewAttempt) {
  const History history({Record("a", "succeeded"), Record("b", "failed", 2), Record("c", "skipped")}, journal_);
  const std::vector<InstanceState> states = history.Retry(instances_, "");
  EXPECT_EQ(states[0].status, Status::kSucceeded);
  EXPECT_EQ(states[1].status, Status::kPending);
  EXPECT_EQ(states[1].attempt, 3);
  EXPECT_EQ(states[1].first_attempt, 3);
  EXPECT_EQ(states[2].status, Status::kPending);  // it was skipped for b's failure
}

TEST_F(RecoveryTest, RetryFromAStageRepeatsItAndWhatNeedsIt) {
  const History history({Record("a", "succeeded"), Record("b", "succeeded"), Record("c", "succeeded")}, journal_);
  const std::vector<InstanceState> states = history.Retry(instances_, "b");
  EXPECT_EQ(states[0].status, Status::kSucceeded);
  EXPECT_EQ(states[1].attempt, 2);
  EXPECT_EQ(states[2].attempt, 2);
  EXPECT_THROW(history.Retry(instances_, "nothing"), Error);
}

TEST_F(RecoveryTest, RetryRepeatsWhatWasChangedAndWhatNeedsIt) {
  const History history({Record("a", "succeeded"), Record("b", "succeeded"), Record("c", "succeeded")}, journal_);
  const std::vector<InstanceState> states = history.Retry(instances_, "", {"b"});
  EXPECT_EQ(states[0].status, Status::kSucceeded);
  EXPECT_EQ(states[1].attempt, 2);
  EXPECT_EQ(states[2].attempt, 2);
}

// An engine that was killed while it retried had said from which attempts on results count.
TEST_F(RecoveryTest, ResultsThatARetryWantsAnewDoNotCount) {
  StageRecord failed = Record("b", "failed", 2);
  failed.failure_kind = "exit_code";
  instances_[1].retry.attempts = 2;
  const std::vector<StageRecord> records = {Record("a", "succeeded"), failed, Record("c", "succeeded")};
  const History history(records, journal_, {{"b", 2}, {"c", 2}});
  for (const std::vector<InstanceState>& states : {history.Resume(instances_), history.Retry(instances_, "")}) {
    EXPECT_EQ(states[0].status, Status::kSucceeded);
    EXPECT_EQ(states[1].status, Status::kPending);
    EXPECT_EQ(states[1].attempt, 3);
    EXPECT_EQ(states[2].status, Status::kPending);
    EXPECT_EQ(states[2].attempt, 2);
  }
  EXPECT_EQ(history.Resume(instances_)[1].first_attempt, 2);
  EXPECT_EQ(history.Retry(instances_, "")[1].first_attempt, 3);
}

TEST_F(RecoveryTest, EventsThatACrashSwallowedAreMadeUp) {
  JournalHas("run_started");
  JournalHas("stage_started", "a");
  StageRecord skipped = Record("c", "skipped");
  const History history({Record("a", "succeeded"), Record("b", "failed"), skipped}, journal_);
  EXPECT_THAT(Published(history),
              ElementsAre("a stage_finished", "b stage_started", "b stage_failed", "c stage_skipped"));
}

TEST_F(RecoveryTest, ARunThatFinishedIsNotOpen) {
  JournalHas("run_started");
  JournalHas("run_finished");
  EXPECT_FALSE(History({}, journal_).run_is_open());
}

}  // namespace
}  // namespace cosmos
