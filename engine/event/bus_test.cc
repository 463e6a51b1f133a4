#include "event/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "event/span.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;

RunContext Stage(const std::string& stage) {
  RunContext context;
  context.run_id = "rs_1";
  context.stage = stage;
  return context;
}

bool All(const EventPayload&) { return true; }

class BusTest : public ::testing::Test {
 protected:
  SystemClock clock_;
};

TEST_F(BusTest, OrderIsTotalWithoutGapsOverManyPublishers) {
  EventBus bus(&clock_, 41);
  std::vector<std::uint64_t> seen;
  bus.Subscribe({"a", Subscription::Overflow::kBlock, 8, All, [&](const Event& e) { seen.push_back(e.seq); }});
  std::vector<std::thread> publishers;
  for (int i = 0; i < 4; ++i) {
    publishers.emplace_back([&] {
      for (int n = 0; n < 500; ++n) bus.Publish(Stage("s"), StageReady{});
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  bus.Close();
  ASSERT_EQ(seen.size(), 2000u);
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], 42 + i);
}

TEST_F(BusTest, SlowSubscriberLosesTheOldestAndIsToldHowMany) {
  EventBus bus(&clock_, 0);
  std::promise<void> entered, go_on;
  std::vector<std::string> seen;
  bus.Subscribe({"slow", Subscription::Overflow::kDropOldest, 2, All, [&](const Event& e) {
                   seen.push_back(std::to_string(e.seq) + " " + std::string(TypeName(e.payload)));
                   if (const auto* dropped = std::get_if<EventsDropped>(&e.payload)) {
                     seen.back() += " " + std::to_string(dropped->count);
                   }
                   if (e.seq == 1) {
                     entered.set_value();
                     go_on.get_future().wait();
                   }
                 }});
  bus.Publish(Stage("s"), StageReady{});
  entered.get_future().wait();
  for (int i = 0; i < 5; ++i) bus.Publish(Stage("s"), StageReady{});
  go_on.set_value();
  bus.Close();
  EXPECT_THAT(seen, ElementsAre("1 stage_ready", "4 events_dropped 3", "5 stage_ready", "6 stage_ready"));
}

TEST_F(BusTest, ProgressIsReducedToTheLatestOfEachStage) {
  EventBus bus(&clock_, 0);
  std::promise<void> entered, go_on;
  std::vector<std::string> seen;
  bus.Subscribe({"view", Subscription::Overflow::kDropOldest, 100, All, [&](const Event& e) {
                   if (const auto* progress = std::get_if<Progress>(&e.payload)) {
                     seen.push_back(e.context.stage + std::to_string(static_cast<int>(progress->done)));
                   } else if (e.seq == 1) {
                     entered.set_value();
                     go_on.get_future().wait();
                   }
                 }});
  bus.Publish(Stage("a"), StageReady{});
  entered.get_future().wait();
  for (int i = 1; i <= 50; ++i) {
    bus.Publish(Stage("a"), Progress{static_cast<double>(i), 50, "", -1});
    bus.Publish(Stage("b"), Progress{static_cast<double>(i), 50, "", -1});
  }
  go_on.set_value();
  bus.Close();
  EXPECT_THAT(seen, ElementsAre("a50", "b50"));
}

TEST_F(BusTest, ThrowingSubscriberIsReportedAndOffAfterThreeTimes) {
  EventBus bus(&clock_, 0);
  int calls = 0;
  std::vector<bool> failed;
  bus.Subscribe({"bad", Subscription::Overflow::kDropOldest, 100,
                 [](const EventPayload& p) { return !std::holds_alternative<HookFailed>(p); },
                 [&](const Event&) {
                   ++calls;
                   throw std::runtime_error("no");
                 }});
  bus.Subscribe({"good", Subscription::Overflow::kBlock, 100, All, [&](const Event& e) {
                   if (const auto* hook = std::get_if<HookFailed>(&e.payload)) failed.push_back(hook->disabled);
                 }});
  for (int i = 0; i < 10; ++i) bus.Publish(Stage("s"), StageReady{});
  bus.Close();
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(failed, ElementsAre(false, false, true));
}

TEST_F(BusTest, EveryStartedHasOneEndEvenWhenTheEngineUnwinds) {
  EventBus bus(&clock_, 0);
  std::vector<std::string> seen;
  bus.Subscribe({"a", Subscription::Overflow::kBlock, 8, All,
                 [&](const Event& e) { seen.push_back(std::string(TypeName(e.payload))); }});
  {
    StageSpan span(&bus, Stage("x"), StageStarted{});
    span.End(StageFinished{});
  }
  try {
    StageSpan span(&bus, Stage("y"), StageStarted{});
    throw std::runtime_error("unwinding");
  } catch (const std::runtime_error&) {
  }
  bus.Close();
  EXPECT_THAT(seen, ElementsAre("stage_started", "stage_finished", "stage_started", "stage_failed"));
}

}  // namespace
}  // namespace cosmos
