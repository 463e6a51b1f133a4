#include "common/frame_progress.h"

#include <gmock/gmock.h>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

class FrameProgressTest : public ::testing::Test {
 protected:
  void Read(std::string_view bytes) { progress_.Read(task_, bytes); }
  const sdk::testing::FakeHost::Report& Last() const { return host_.progress.back(); }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  FrameProgress progress_{"rendering", {{"model", "m"}}};
};

TEST_F(FrameProgressTest, ReadsFfmpegsOwnLines) {
  Read("frames to do: 72\n");
  EXPECT_EQ(Last().total, 72);
  Read("frame=   17 fps=0.0 q=28.0 size=       0kB time=00:00:00.70 bitrate=   0.5kbits/s speed=1.2x    \rfra");
  EXPECT_EQ(Last().done, 17);
  EXPECT_EQ(Last().total, 72);
  EXPECT_EQ(Last().phase, "rendering");
  Read("me=   30 fps=15 q=28.0 size=       0kB\r");
  EXPECT_EQ(Last().done, 30);
}

TEST_F(FrameProgressTest, GoesOnFromOneFileToTheNext) {
  Read("frames to do: 20\nframes done: 0\nframe=   10 fps=1\nframes done: 10\n");
  EXPECT_EQ(Last().done, 10);
  Read("frame=    5 fps=1\n");
  EXPECT_EQ(Last().done, 15);
}

TEST_F(FrameProgressTest, NeverTellsMoreThanAll) {
  Read("frames to do: 20\nframe=   25 fps=1\n");
  EXPECT_EQ(Last().done, 20);
}

TEST_F(FrameProgressTest, AJobThatEndsWellIsKeptForLaterOnes) {
  Read("frames to do: 20\n");
  EXPECT_FALSE(Last().has_eta);
  progress_.Succeed(task_);
  FrameProgress second("rendering", {{"model", "m"}});
  second.Read(task_, "frames to do: 20\n");
  EXPECT_TRUE(Last().has_eta);
}

TEST_F(FrameProgressTest, PassesOverEverythingElse) {
  Read("[libx264 @ 0x1] frame=9\nframe=\nframes to do: many\nprogress 7\n");
  EXPECT_TRUE(host_.progress.empty());
}

}  // namespace
}  // namespace cosmos::plugins
