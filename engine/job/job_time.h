#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/clock.h"
#include "target/target.h"

namespace cosmos {

// The time that a job may still run. What counts is how long it has run by its host's own measure, where there is one:
// neither a step of a clock nor the sleep of the engine's machine nor time without a connection changes that. For one
// thread.
class JobTime {
 public:
  // Without a `limit` time is never over. `attached`: the job may have run for any time already.
  JobTime(std::optional<Duration> limit, SteadyTime now, bool attached)
      : limit_(limit), begun_(now), next_look_(now + (attached ? Duration(0) : limit.value_or(Duration(0)))) {}

  // When the job is to be looked at for the sake of its time.
  Duration UntilLook(SteadyTime now) const {
    return limit_ ? std::max<Duration>(next_look_ - now, Duration(0)) : Duration(std::chrono::hours(1));
  }
  bool IsToLook(SteadyTime now) const { return limit_ && now >= next_look_; }
  // Whether the time of a job that is in this state now is over.
  bool IsOver(const JobState& state, SteadyTime now) {
    if (!limit_ || state.phase == JobState::Phase::kEnded) return false;
    const Duration ran = state.ran.value_or(now - begun_);
    next_look_ = now + std::max<Duration>(*limit_ - ran, kLeast);
    return ran >= *limit_;
  }

 private:
  static constexpr auto kLeast = std::chrono::milliseconds(10);

  const std::optional<Duration> limit_;
  const SteadyTime begun_;
  SteadyTime next_look_;
};

}  // namespace cosmos
