#pragma once

#include <atomic>
#include <chrono>

#include "core/clock.h"
#include "core/fd.h"

namespace cosmos {

// Says once, to any number of waiting threads, that they shall stop. Thread-safe; Cancel may be called from a signal
// handler.
class CancelToken {
 public:
  // Throws Error{kInternal} when the system has no descriptors left.
  CancelToken();
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void Cancel() noexcept;
  // Stronger: the engine itself cannot go on. Whoever waits shall leave things as they are and return.
  void Abandon() noexcept;
  bool abandoned() const noexcept { return abandoned_.load(std::memory_order_acquire); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  // Readable from the moment of cancellation on; for poll(2). Owned by the token.
  int fd() const { return event_.get(); }
  // Blocks until cancelled or `duration` has passed; returns cancelled().
  bool WaitFor(Duration duration) const;

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> abandoned_{false};
  Fd event_;
};

}  // namespace cosmos
