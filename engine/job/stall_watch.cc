#include "job/stall_watch.h"

#include <algorithm>
#include <utility>

namespace cosmos {
namespace {

constexpr int kLooks = 4;  // within the limit

}  // namespace

StallWatch::StallWatch(std::optional<Duration> limit, SteadyTime now, std::function<std::int64_t()> log_size)
    : limit_(limit), log_size_(std::move(log_size)), next_look_(now), grown_(now) {}

bool StallWatch::Stalled(SteadyTime now) {
  if (!limit_ || now < next_look_) return false;
  next_look_ = now + *limit_ / kLooks;
  if (const std::int64_t size = log_size_(); size != size_) {
    size_ = size;
    grown_ = now;
  }
  return now - grown_ >= *limit_;
}

Duration StallWatch::UntilNextLook(SteadyTime now) const {
  return limit_ ? std::max(Duration(0), Duration(next_look_ - now)) : Duration::max();
}

}  // namespace cosmos
