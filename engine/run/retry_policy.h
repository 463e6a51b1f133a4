#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "workflow/plan.h"

namespace cosmos {

// What an instance may use in its next attempt, and what its plugin is to change for want of GPU memory.
struct OomLadder {
  int gpus = 0;
  std::vector<std::string> steps;  // taken so far, the latest last; see RetryPolicy::on_oom
};

// After `out_of_memory` attempts that ran out of GPU memory. A step `more_gpus` that the target has no GPUs for is left
// out, so the next one takes its place.
OomLadder LadderOf(const StageInstance& instance, int out_of_memory);

// Whether an instance that failed its `done`-th attempt (counted from 1) is tried again; `out_of_memory` of them, this
// one included, ran out of GPU memory. While there are steps for that left it is tried again with the next one, and not
// after the last; for other kinds those attempts do not count. Without `on:`, every kind is tried again but cancelled
// and invalid_input, which would only fail again.
bool ShouldRetry(const StageInstance& instance, FailureKind kind, int done, int out_of_memory);
// How long to wait before that: the backoff, doubled with each attempt, at most ten minutes.
Duration RetryDelay(const RetryPolicy& policy, int done);

}  // namespace cosmos
