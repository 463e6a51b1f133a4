#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/clock.h"

namespace cosmos {

// Notices that a job's log does not grow any more. What counts is the log's size where the job runs, so time without a
// connection is no silence: a log that grew meanwhile has grown. Not thread-safe.
class StallWatch {
 public:
  // `log_size` asks the job's machine; it is called from Stalled alone, a few times within `limit`. Without a limit
  // nothing ever stalls, and nobody is asked.
  StallWatch(std::optional<Duration> limit, SteadyTime now, std::function<std::int64_t()> log_size);

  // Whether the log has been of the same size for `limit`; true up to a quarter of it late. What log_size throws comes
  // through.
  bool Stalled(SteadyTime now);
  // When Stalled is to be asked again.
  Duration UntilNextLook(SteadyTime now) const;

 private:
  const std::optional<Duration> limit_;
  const std::function<std::int64_t()> log_size_;
  SteadyTime next_look_;
  SteadyTime grown_;  // when the size was first seen
  std::int64_t size_ = -1;
};

}  // namespace cosmos
