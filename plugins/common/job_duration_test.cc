#include "common/job_duration.h"

#include <gtest/gtest.h>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

class JobDurationTest : public ::testing::Test {
 protected:
  JobDuration Make(bool resumed = false) {
    JobDuration duration({{"model", "m"}}, [this] { return now_; });
    sdk::Context context;
    context.resumed = resumed;
    duration.Begin(context);
    return duration;
  }
  void Pass(int seconds) { now_ += std::chrono::seconds(seconds); }
  // A job of 100 s that ended well.
  void EarlierJob() {
    JobDuration duration = Make();
    duration.Heard(task_);
    Pass(100);
    duration.Succeed(task_);
  }
  const sdk::testing::FakeHost::Report& Last() const { return host_.progress.back(); }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  JobDuration::Time now_;
};

TEST_F(JobDurationTest, WithoutEarlierJobsTheHostGuesses) {
  JobDuration duration = Make();
  duration.Heard(task_);
  duration.Report(task_, 5, 10, "rendering");
  EXPECT_EQ(Last().done, 5);
  EXPECT_EQ(Last().phase, "rendering");
  EXPECT_FALSE(Last().has_eta);
  duration.ReportTime(task_, "rendering");
  EXPECT_EQ(host_.progress.size(), 1u);
}

TEST_F(JobDurationTest, WhatIsLeftComesFromEarlierJobsAndThenFromTheJobItself) {
  EarlierJob();
  JobDuration duration = Make();
  duration.Heard(task_);
  duration.Report(task_, 0, 10, "rendering");
  EXPECT_EQ(Last().eta, 100);
  Pass(80);
  duration.Report(task_, 5, 10, "rendering");  // half in 80 s, which the earlier job had almost ended in
  EXPECT_EQ(Last().eta, 50);
  Pass(80);
  duration.Report(task_, 10, 10, "rendering");
  EXPECT_EQ(Last().eta, 0);
}

TEST_F(JobDurationTest, AJobThatSaysNothingIsAsFarAsEarlierOnesWereByThen) {
  EarlierJob();
  JobDuration duration = Make();
  duration.Heard(task_);
  Pass(25);
  duration.ReportTime(task_, "rendering");
  EXPECT_EQ(Last().done, 25);
  EXPECT_EQ(Last().total, 100);
  EXPECT_EQ(Last().eta, 75);
  Pass(100);
  duration.ReportTime(task_, "rendering");
  EXPECT_EQ(Last().done, 99);
  EXPECT_LT(Last().eta, 0) << "it takes longer than any earlier one, and nobody knows how long";
}

TEST_F(JobDurationTest, OfAResumedJobNobodyKnowsWhenItBegan) {
  EarlierJob();
  JobDuration duration = Make(true);
  duration.Heard(task_);
  duration.ReportTime(task_, "rendering");
  EXPECT_TRUE(host_.progress.empty());
  duration.Report(task_, 3, 4, "rendering");
  EXPECT_EQ(Last().eta, 25);
}

TEST_F(JobDurationTest, AJobThatNeverSaidAnythingIsNotKept) {
  JobDuration duration = Make();
  duration.Succeed(task_);
  EXPECT_TRUE(host_.history.empty());
}

}  // namespace
}  // namespace cosmos::plugins
