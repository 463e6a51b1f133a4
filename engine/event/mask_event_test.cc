#include "event/mask_event.h"

#include <gtest/gtest.h>

#include "event/bus.h"

namespace cosmos {
namespace {

// The event as a subscriber of a bus that masks gets it.
std::string Heard(EventPayload payload) {
  const Masker masker({"gold\"token"});
  std::string heard;
  SystemClock clock;
  EventBus bus(&clock, 0, &masker);
  bus.Subscribe({"test", Subscription::Overflow::kDropOldest, 16, [](const EventPayload&) { return true; },
                 [&](const Event& event) { heard = ToJson(event)["data"].dump(); }});
  bus.Publish({}, std::move(payload));
  bus.Close();
  return heard;
}

TEST(MaskTexts, OfEveryEventThatHasOne) {
  const std::string text = "no access with gold\"token, or \"gold\\\"token\"";
  const Failure failure{FailureKind::kExitCode, text};
  StageRetrying retrying;
  retrying.failure = failure;
  retrying.change = text;
  for (const EventPayload& payload : std::vector<EventPayload>{
           RunFinished{Status::kFailed, failure}, StageFailed{failure}, StageSkipped{text}, retrying,
           StageQueued{"gpu1", 1, text}, Progress{1, 2, text}, TargetLost{"gpu1", text}, HookFailed{"hook", text}}) {
    const std::string heard = Heard(payload);
    EXPECT_NE(heard.find("no access with ***, or"), std::string::npos) << TypeName(payload) << heard;
    EXPECT_EQ(heard.find("gold"), std::string::npos) << TypeName(payload) << heard;
  }
}

}  // namespace
}  // namespace cosmos
