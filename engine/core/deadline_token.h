#pragma once

#include <optional>
#include <thread>

#include "core/cancel.h"
#include "core/clock.h"

namespace cosmos {

// A token that is cancelled when `parent` is, or when `left` has passed; abandoned when `parent` is. Without `left` it
// is the parent's own. Thread-safe; owns a thread while it exists.
class DeadlineToken {
 public:
  // `parent` must outlive it. Throws as CancelToken.
  DeadlineToken(const CancelToken& parent, std::optional<Duration> left);
  ~DeadlineToken();
  DeadlineToken(const DeadlineToken&) = delete;
  DeadlineToken& operator=(const DeadlineToken&) = delete;

  const CancelToken& token() const { return thread_.joinable() ? token_ : parent_; }
  // Whether the time has passed, and the parent was not cancelled.
  bool expired() const { return token().cancelled() && !parent_.cancelled(); }

 private:
  void Watch(SteadyTime end);

  const CancelToken& parent_;
  CancelToken token_;
  CancelToken done_;
  std::thread thread_;
};

}  // namespace cosmos
