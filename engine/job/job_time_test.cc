#include "job/job_time.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

using namespace std::chrono_literals;

const SteadyTime kBegin = SteadyTime() + 1h;

JobState Running(std::optional<Duration> ran) {
  JobState state;
  state.ran = ran;
  return state;
}

TEST(JobTime, WithoutALimitItIsNeverOver) {
  JobTime time(std::nullopt, kBegin, false);
  EXPECT_FALSE(time.IsToLook(kBegin + 1000h));
  EXPECT_FALSE(time.IsOver(Running(1000h), kBegin + 1000h));
}

TEST(JobTime, WhatTheHostSaysCounts) {
  JobTime time(10s, kBegin, false);
  EXPECT_FALSE(time.IsToLook(kBegin + 9s));
  EXPECT_TRUE(time.IsToLook(kBegin + 10s));
  EXPECT_FALSE(time.IsOver(Running(4s), kBegin + 10s));  // it started late, or this machine's time passed faster
  EXPECT_FALSE(time.IsToLook(kBegin + 15s));
  EXPECT_EQ(time.UntilLook(kBegin + 15s), 1s);
  EXPECT_TRUE(time.IsOver(Running(10s), kBegin + 16s));
}

TEST(JobTime, AJobThatWasAttachedToIsAskedAtOnce) {
  JobTime time(10s, kBegin, true);
  EXPECT_TRUE(time.IsToLook(kBegin));
  EXPECT_TRUE(time.IsOver(Running(11s), kBegin));
}

TEST(JobTime, WithoutAMeasureOfTheHostItsOwnCounts) {
  JobTime time(10s, kBegin, true);
  EXPECT_FALSE(time.IsOver(Running(std::nullopt), kBegin + 9s));
  EXPECT_TRUE(time.IsOver(Running(std::nullopt), kBegin + 10s));
}

TEST(JobTime, AJobThatHasEndedIsInTime) {
  JobTime time(10s, kBegin, false);
  JobState ended = Running(20s);
  ended.phase = JobState::Phase::kEnded;
  EXPECT_FALSE(time.IsOver(ended, kBegin + 20s));
}

}  // namespace
}  // namespace cosmos
