#include "media/control_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ControlsNamedBy, TheFileName) {
  EXPECT_THAT(ControlsNamedBy("color.####.png"), ElementsAre("color"));
  EXPECT_THAT(ControlsNamedBy("city_depth_v003.####.exr"), ElementsAre("depth"));
  EXPECT_THAT(ControlsNamedBy("cityZDepth.####.exr"), ElementsAre("depth"));
  EXPECT_THAT(ControlsNamedBy("sh010_Z.####.exr"), ElementsAre("depth"));
  EXPECT_THAT(ControlsNamedBy("objectID-####.png"), ElementsAre("seg"));
  EXPECT_THAT(ControlsNamedBy("BEAUTY####.png"), ElementsAre("color"));
  EXPECT_THAT(ControlsNamedBy("canny2_####.png"), ElementsAre("edge"));
}

TEST(ControlsNamedBy, TheFolderWhenTheFileNameSaysNothing) {
  EXPECT_THAT(ControlsNamedBy("seg/frame_####.png"), ElementsAre("seg"));
  EXPECT_THAT(ControlsNamedBy("depth/v3/####.exr"), ElementsAre("depth"));
  EXPECT_THAT(ControlsNamedBy("renders/color/depth.####.exr"), ElementsAre("depth"));
}

TEST(ControlsNamedBy, APartOfAWordIsNoName) {
  EXPECT_THAT(ControlsNamedBy("colorful_segment.####.png"), IsEmpty());
  EXPECT_THAT(ControlsNamedBy("normal.####.exr"), IsEmpty());
  EXPECT_THAT(ControlsNamedBy("####.png"), IsEmpty());
}

TEST(ControlsNamedBy, SeveralAreAllTold) {
  EXPECT_THAT(ControlsNamedBy("depth_mask.####.png"), ElementsAre("depth", "seg"));
}

}  // namespace
}  // namespace cosmos
