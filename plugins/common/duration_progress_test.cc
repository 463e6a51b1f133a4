#include "common/duration_progress.h"

#include <gtest/gtest.h>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

// A reader of a job that says itself how far it is.
class Reader : public DurationProgress {
 public:
  using DurationProgress::DurationProgress;
  using DurationProgress::Heard;
  using DurationProgress::Report;
};

class DurationProgressTest : public ::testing::Test {
 protected:
  Reader Make(bool resumed = false) {
    Reader reader("rendering", {{"model", "m"}}, [this] { return now_; });
    sdk::Context context;
    context.resumed = resumed;
    reader.Begin(context);
    return reader;
  }
  void Pass(int seconds) { now_ += std::chrono::seconds(seconds); }
  // A job of 100 s that ended well.
  void EarlierJob() {
    Reader reader = Make();
    reader.Heard(task_);
    Pass(100);
    reader.Succeed(task_);
  }
  const sdk::testing::FakeHost::Report& Last() const { return host_.progress.back(); }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  DurationProgress::Time now_;
};

TEST_F(DurationProgressTest, WithoutEarlierJobsTheHostGuesses) {
  Reader reader = Make();
  reader.Heard(task_);
  reader.Report(task_, 5, 10);
  EXPECT_EQ(Last().done, 5);
  EXPECT_EQ(Last().phase, "rendering");
  EXPECT_FALSE(Last().has_eta);
  reader.Read(task_, "said");
  EXPECT_EQ(host_.progress.size(), 1u);
}

TEST_F(DurationProgressTest, WhatIsLeftComesFromEarlierJobsAndThenFromTheJobItself) {
  EarlierJob();
  Reader reader = Make();
  reader.Heard(task_);
  reader.Report(task_, 0, 10);
  EXPECT_EQ(Last().eta, 100);
  Pass(80);
  reader.Report(task_, 5, 10);  // half in 80 s, which the earlier job had almost ended in
  EXPECT_EQ(Last().eta, 50);
  Pass(80);
  reader.Report(task_, 10, 10);
  EXPECT_EQ(Last().eta, 0);
}

TEST_F(DurationProgressTest, AJobThatSaysNothingIsAsFarAsEarlierOnesWereByThen) {
  EarlierJob();
  Reader reader = Make();
  reader.Heard(task_);
  Pass(25);
  reader.Read(task_, "said");
  EXPECT_EQ(Last().done, 25);
  EXPECT_EQ(Last().total, 100);
  EXPECT_EQ(Last().eta, 75);
  Pass(100);
  reader.Read(task_, "said");
  EXPECT_EQ(Last().done, 99);
  EXPECT_LT(Last().eta, 0) << "it takes longer than any earlier one, and nobody knows how long";
}

TEST_F(DurationProgressTest, OfAResumedJobNobodyKnowsWhenItBegan) {
  EarlierJob();
  Reader reader = Make(true);
  reader.Heard(task_);
  reader.Read(task_, "said");
  EXPECT_TRUE(host_.progress.empty());
  reader.Report(task_, 3, 4);
  EXPECT_EQ(Last().eta, 25);
}

TEST_F(DurationProgressTest, AJobThatNeverSaidAnythingIsNotKept) {
  Reader reader = Make();
  reader.Succeed(task_);
  EXPECT_TRUE(host_.history.empty());
}

}  // namespace
}  // namespace cosmos::plugins
