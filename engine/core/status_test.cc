#include "core/status.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

TEST(Status, WordsRoundTrip) {
  for (int i = 0; i <= static_cast<int>(Status::kSkipped); ++i) {
    const Status status = static_cast<Status>(i);
    EXPECT_EQ(StatusOf(ToString(status)), status);
  }
  EXPECT_THROW(StatusOf("done"), Error);
  EXPECT_FALSE(IsEnd(Status::kRetrying));
  EXPECT_TRUE(IsEnd(Status::kSkipped));
}

TEST(FailureKind, WordsRoundTrip) {
  for (int i = 0; i <= static_cast<int>(FailureKind::kInvalidInput); ++i) {
    const FailureKind kind = static_cast<FailureKind>(i);
    EXPECT_EQ(FailureKindOf(ToString(kind)), kind);
  }
  EXPECT_EQ(ToString(FailureKind::kHostRebooted), "host_rebooted");
  EXPECT_EQ(ToString(FailureKind::kInvalidInput), "invalid_input");
  EXPECT_EQ(FailureKindOf("no such kind"), FailureKind::kPluginError);
}

}  // namespace
}  // namespace cosmos
