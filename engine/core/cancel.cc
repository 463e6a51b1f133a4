#include "core/cancel.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace cosmos {

CancelToken::CancelToken() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_.valid()) throw Error(ErrorCode::kInternal, "no file descriptor is left for an eventfd");
}

void CancelToken::Cancel() noexcept {
  cancelled_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void CancelToken::Abandon() noexcept {
  abandoned_.store(true, std::memory_order_release);
  Cancel();
}

bool CancelToken::WaitFor(Duration duration) const {
  const SteadyTime end = std::chrono::steady_clock::now() + std::max(duration, Duration::zero());
  while (!cancelled()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) break;
    pollfd wait{event_.get(), POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(std::min<long>(left, 3600 * 1000)));
  }
  return cancelled();
}

}  // namespace cosmos
