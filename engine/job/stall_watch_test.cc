#include "job/stall_watch.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

using namespace std::chrono_literals;

class StallWatchTest : public testing::Test {
 protected:
  // Asks every second until `second`; the first second in which the log counts as stalled, or -1.
  int FirstStall(StallWatch* watch, int second) {
    for (; now_ <= second; ++now_) {
      size_ = grows_ ? now_ : size_;
      if (watch->Stalled(At(now_))) return now_;
    }
    return -1;
  }
  static SteadyTime At(int second) { return SteadyTime() + std::chrono::seconds(second); }
  StallWatch Make(std::optional<Duration> limit) {
    return StallWatch(limit, At(0), [this] {
      ++asked_;
      return size_;
    });
  }

  int now_ = 0;
  bool grows_ = false;
  std::int64_t size_ = 0;
  int asked_ = 0;
};

TEST_F(StallWatchTest, ASilentLogStalls) {
  StallWatch watch = Make(100s);
  EXPECT_EQ(FirstStall(&watch, 1000), 100);
  EXPECT_LE(asked_, 5);
}

TEST_F(StallWatchTest, ALogThatGrowsDoesNot) {
  StallWatch watch = Make(100s);
  grows_ = true;
  EXPECT_EQ(FirstStall(&watch, 1000), -1);
  grows_ = false;
  const int stalled = FirstStall(&watch, 2000);
  EXPECT_GE(stalled, 1100);
  EXPECT_LE(stalled, 1125);
}

TEST_F(StallWatchTest, WhatGrewWhileNobodyCouldLookHasGrown) {
  StallWatch watch = Make(100s);
  EXPECT_FALSE(watch.Stalled(At(0)));
  size_ = 7;
  EXPECT_FALSE(watch.Stalled(At(500)));
  EXPECT_TRUE(watch.Stalled(At(600)));
}

TEST_F(StallWatchTest, WithoutALimitNobodyIsAsked) {
  StallWatch watch = Make(std::nullopt);
  EXPECT_EQ(FirstStall(&watch, 1000), -1);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(watch.UntilNextLook(At(5)), Duration::max());
}

TEST_F(StallWatchTest, SaysWhenToLookAgain) {
  StallWatch watch = Make(100s);
  EXPECT_EQ(watch.UntilNextLook(At(0)), 0s);
  watch.Stalled(At(0));
  EXPECT_EQ(watch.UntilNextLook(At(5)), 20s);
  EXPECT_EQ(watch.UntilNextLook(At(50)), 0s);
}

}  // namespace
}  // namespace cosmos
