#pragma once

#include <utility>

#include "event/bus.h"

namespace cosmos {

// The message of a StageFailed whose attempt has not ended: the engine left it, and its job may go on.
inline constexpr const char* kGivenUp = "the engine gave the stage up";

// Pairs a started with exactly one end: publishes the start when made, and when it goes out of scope without End, an
// end that says the engine gave up. Not thread-safe.
class StageSpan {
 public:
  // `bus` must outlive the span.
  StageSpan(EventBus* bus, const RunContext& context, StageStarted started, bool already_started = false)
      : bus_(bus), context_(context) {
    if (!already_started) bus_->Publish(context_, std::move(started));
  }
  ~StageSpan() {
    if (bus_ != nullptr) {
      bus_->Publish(context_, StageFailed{{FailureKind::kPluginError, kGivenUp}});
    }
  }
  StageSpan(const StageSpan&) = delete;
  StageSpan& operator=(const StageSpan&) = delete;

  void End(EventPayload end) { std::exchange(bus_, nullptr)->Publish(context_, std::move(end)); }

 private:
  EventBus* bus_;
  const RunContext context_;
};

}  // namespace cosmos
