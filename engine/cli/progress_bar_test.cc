#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(ProgressBarTest, EndsWithThePercentage) {
  EXPECT_EQ(ProgressBar(0.25), "██████░░░░░░░░░░░░░░░░░░  25 %");
  EXPECT_EQ(ProgressBar(7), "████████████████████████ 100 %");
  EXPECT_EQ(Percent(0.524), "52 %");
  EXPECT_EQ(Percent(-1), "0 %");
}

TEST(TimeLeftTest, IsNotToldToTheSecond) {
  EXPECT_EQ(TimeLeft(7.4), "about 7 s left");
  EXPECT_EQ(TimeLeft(59.7), "about 1 min left");
  EXPECT_EQ(TimeLeft(200), "about 3 min left");
  EXPECT_EQ(TimeLeft(3599), "about 1 h 00 min left");
  EXPECT_EQ(TimeLeft(7500), "about 2 h 05 min left");
}

}  // namespace
}  // namespace cosmos
