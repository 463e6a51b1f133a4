#include "run/retry_policy.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

using namespace std::chrono_literals;

TEST(RetryPolicy, CountsAttemptsInAll) {
  StageInstance instance;
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kExitCode, 1, 0));
  instance.retry.attempts = 3;
  EXPECT_TRUE(ShouldRetry(instance, FailureKind::kExitCode, 2, 0));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kExitCode, 3, 0));
}

TEST(RetryPolicy, OnlyForTheKindsThatAreListed) {
  StageInstance instance;
  instance.retry.attempts = 2;
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kCancelled, 1, 0));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kInvalidInput, 1, 0));
  instance.retry.on = {FailureKind::kTimeout};
  EXPECT_TRUE(ShouldRetry(instance, FailureKind::kTimeout, 1, 0));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kExitCode, 1, 0));
}

TEST(RetryPolicy, AnAttemptMoreForEachStepAgainstWantOfMemory) {
  StageInstance instance;
  instance.gpus = 1;
  instance.most_gpus = 2;
  instance.retry.on_oom = {"offload", "more_gpus", "more_gpus", "fewer_frames"};
  EXPECT_TRUE(LadderOf(instance, 0).steps.empty());
  EXPECT_EQ(LadderOf(instance, 1).steps, (std::vector<std::string>{"offload"}));
  EXPECT_EQ(LadderOf(instance, 1).gpus, 1);
  EXPECT_EQ(LadderOf(instance, 2).gpus, 2);
  // The target has no four GPUs, so that step is left out.
  EXPECT_EQ(LadderOf(instance, 3).steps, (std::vector<std::string>{"offload", "more_gpus", "fewer_frames"}));
  EXPECT_EQ(LadderOf(instance, 9).gpus, 2);
  EXPECT_TRUE(ShouldRetry(instance, FailureKind::kCudaOom, 3, 3));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kCudaOom, 4, 4));
  // What else fails is counted by itself.
  instance.retry.attempts = 2;
  EXPECT_TRUE(ShouldRetry(instance, FailureKind::kExitCode, 4, 3));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kExitCode, 5, 3));
}

TEST(RetryPolicy, WithoutStepsWantOfMemoryIsAFailureLikeOthers) {
  StageInstance instance;
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kCudaOom, 1, 1));
  instance.retry.attempts = 2;
  EXPECT_TRUE(ShouldRetry(instance, FailureKind::kCudaOom, 1, 1));
  EXPECT_FALSE(ShouldRetry(instance, FailureKind::kCudaOom, 2, 2));
}

TEST(RetryPolicy, TheDelayDoublesUpToTenMinutes) {
  RetryPolicy policy;
  policy.backoff = 30s;
  EXPECT_EQ(RetryDelay(policy, 1), 30s);
  EXPECT_EQ(RetryDelay(policy, 2), 60s);
  EXPECT_EQ(RetryDelay(policy, 4), 240s);
  EXPECT_EQ(RetryDelay(policy, 60), 10min);
  policy.backoff = 0s;
  EXPECT_EQ(RetryDelay(policy, 60), 0s);
}

}  // namespace
}  // namespace cosmos
