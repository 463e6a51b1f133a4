#include "core/deadline_token.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace cosmos {

DeadlineToken::DeadlineToken(const CancelToken& parent, std::optional<Duration> left) : parent_(parent) {
  if (!left) return;
  thread_ = std::thread([this, end = std::chrono::steady_clock::now() +
                                     std::min<Duration>(*left, std::chrono::hours(24 * 365))] { Watch(end); });
}

DeadlineToken::~DeadlineToken() {
  if (!thread_.joinable()) return;
  done_.Cancel();
  thread_.join();
}

void DeadlineToken::Watch(SteadyTime end) {
  while (!done_.cancelled() && !parent_.cancelled()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) break;
    pollfd wait[] = {{parent_.fd(), POLLIN, 0}, {done_.fd(), POLLIN, 0}};
    ::poll(wait, 2, static_cast<int>(std::min<long>(left, 60 * 60 * 1000)));
  }
  if (done_.cancelled()) return;
  if (parent_.abandoned()) token_.Abandon();
  token_.Cancel();
}

}  // namespace cosmos
