#include "run/targets/connection_events.h"

#include <gmock/gmock.h>

namespace cosmos {
namespace {

using testing::ElementsAre;
using Kind = ConnectionChange::Kind;

TEST(ConnectionEventsTest, WaitForTheRunsStart) {
  SystemClock clock;
  EventBus bus(&clock, 0);
  std::vector<std::string> told;
  Subscription subscription;
  subscription.name = "test";
  subscription.wants = [](const EventPayload&) { return true; };
  subscription.deliver = [&](const Event& event) { told.push_back(event.context.run_id + " " + ToJson(event).dump()); };
  bus.Subscribe(subscription);
  RunContext context;
  context.run_id = "rs_1";
  ConnectionEvents events(&bus, context);
  events.OnChange("gpu1", {Kind::kConnected, ""});
  bus.Publish(context, RunStarted{"w", 1, 0});
  events.Begin();
  events.OnChange("gpu1", {Kind::kLost, "no answer"});
  events.OnChange("gpu1", {Kind::kReconnected, ""});
  bus.Close();
  using testing::HasSubstr;
  EXPECT_THAT(told, ElementsAre(HasSubstr("run_started"), HasSubstr("target_connected"), HasSubstr("no answer"),
                                HasSubstr("target_reconnected")));
}

}  // namespace
}  // namespace cosmos
