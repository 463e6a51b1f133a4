#include "run/retry_policy.h"

#include <algorithm>

namespace cosmos {
namespace {

constexpr Duration kLongestDelay = std::chrono::minutes(10);

}  // namespace

bool ShouldRetry(const RetryPolicy& policy, FailureKind kind, int done) {
  if (done >= policy.attempts || kind == FailureKind::kNone || kind == FailureKind::kCancelled) return false;
  if (policy.on.empty()) return kind != FailureKind::kInvalidInput;
  return std::find(policy.on.begin(), policy.on.end(), kind) != policy.on.end();
}

Duration RetryDelay(const RetryPolicy& policy, int done) {
  Duration delay = policy.backoff;
  for (int i = 1; i < done && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

}  // namespace cosmos
