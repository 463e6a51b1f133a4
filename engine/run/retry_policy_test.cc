#include "run/retry_policy.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

using namespace std::chrono_literals;

TEST(RetryPolicy, CountsAttemptsInAll) {
  RetryPolicy policy;
  EXPECT_FALSE(ShouldRetry(policy, FailureKind::kExitCode, 1));
  policy.attempts = 3;
  EXPECT_TRUE(ShouldRetry(policy, FailureKind::kExitCode, 2));
  EXPECT_FALSE(ShouldRetry(policy, FailureKind::kExitCode, 3));
}

TEST(RetryPolicy, OnlyForTheKindsThatAreListed) {
  RetryPolicy policy;
  policy.attempts = 2;
  EXPECT_FALSE(ShouldRetry(policy, FailureKind::kCancelled, 1));
  EXPECT_FALSE(ShouldRetry(policy, FailureKind::kInvalidInput, 1));
  policy.on = {FailureKind::kTimeout};
  EXPECT_TRUE(ShouldRetry(policy, FailureKind::kTimeout, 1));
  EXPECT_FALSE(ShouldRetry(policy, FailureKind::kExitCode, 1));
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
