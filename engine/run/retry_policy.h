#pragma once

#include "core/status.h"
#include "workflow/plan.h"

namespace cosmos {

// Whether a stage that failed its `done`-th attempt (counted from 1) is tried again. Without `on:`, every kind is but
// cancelled and invalid_input, which would only fail again.
bool ShouldRetry(const RetryPolicy& policy, FailureKind kind, int done);
// How long to wait before that: the backoff, doubled with each attempt, at most ten minutes.
Duration RetryDelay(const RetryPolicy& policy, int done);

}  // namespace cosmos
