#include "run/retry_policy.h"

#include <algorithm>

namespace cosmos {
namespace {

constexpr Duration kLongestDelay = std::chrono::minutes(10);

// The steps that change something.
std::vector<std::string> StepsOf(const StageInstance& instance) {
  std::vector<std::string> steps;
  int gpus = std::max(instance.gpus, 1);
  for (const std::string& step : instance.retry.on_oom) {
    if (step == "more_gpus") {
      if (gpus * 2 > instance.most_gpus) continue;
      gpus *= 2;
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

OomLadder LadderOf(const StageInstance& instance, int out_of_memory) {
  OomLadder ladder{instance.gpus, StepsOf(instance)};
  ladder.steps.resize(std::min(ladder.steps.size(), static_cast<std::size_t>(std::max(out_of_memory, 0))));
  for (const std::string& step : ladder.steps) {
    if (step == "more_gpus") ladder.gpus = std::max(ladder.gpus, 1) * 2;
  }
  return ladder;
}

bool ShouldRetry(const StageInstance& instance, FailureKind kind, int done, int out_of_memory) {
  const RetryPolicy& policy = instance.retry;
  const int steps = static_cast<int>(StepsOf(instance).size());
  if (kind == FailureKind::kCudaOom && steps > 0) return out_of_memory <= steps;
  done -= std::min(out_of_memory, steps);
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
