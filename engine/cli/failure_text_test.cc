#include "cli/failure_text.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(FailureText, IsTheReasonAlone) {
  EXPECT_EQ(ReasonOf("stage 'a' failed: the job exited with status 3; see its log /out/a b.log", "a"),
            "the job exited with status 3");
  EXPECT_EQ(ReasonOf("stage 'c' failed: timed out after 1.0 s", "c"), "timed out after 1.0 s");
}

TEST(FailureText, OfAnotherFormStaysWhole) {
  EXPECT_EQ(ReasonOf("stage 'b' failed: x", "a"), "stage 'b' failed: x");
  EXPECT_EQ(ReasonOf("", "a"), "");
}

}  // namespace
}  // namespace cosmos
