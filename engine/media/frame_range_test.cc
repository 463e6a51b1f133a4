#include "media/frame_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;

TEST(FrameRange, IsRead) {
  EXPECT_EQ(ParseFrameRange("1001-1100"), (FrameRange{1001, 1100}));
  EXPECT_EQ(ParseFrameRange("7"), (FrameRange{7, 7}));
  EXPECT_EQ(ParseFrameRange("-5-10"), (FrameRange{-5, 10}));
  EXPECT_EQ(ParseFrameRange("-5--2"), (FrameRange{-5, -2}));
  EXPECT_EQ(ToString(FrameRange{-5, -2}), "-5--2");
  EXPECT_EQ(ParseFrameRange("-5"), (FrameRange{-5, -5}));
  for (const char* text : {"", "-", "--5", "5-", "5---3", "9-3", "a-b", "1-2-3", "1 - 2"}) {
    EXPECT_THROW(ParseFrameRange(text), Error) << text;
  }
}

TEST(FrameRange, IsMadeOfNumbers) {
  EXPECT_THAT(RangesOf({1, 2, 3, 7, 9, 10}), ElementsAre(FrameRange{1, 3}, FrameRange{7, 7}, FrameRange{9, 10}));
  EXPECT_TRUE(RangesOf({}).empty());
}

TEST(FrameRange, IsToldShort) {
  EXPECT_EQ(FramesAre({{3, 3}}), "frame 3 is");
  EXPECT_EQ(FramesAre({{3, 4}}), "frames 3-4 are");
  EXPECT_EQ(FramesAre({{3, 3}, {7, 9}}), "frames 3, 7-9 are");
  std::vector<FrameRange> many;
  for (int i = 0; i < 20; ++i) many.push_back({i * 2, i * 2});
  EXPECT_EQ(FramesAre(many), "frames 0, 2, 4, 6, 8, 10, 12, 14, … (20 ranges in all) are");
}

}  // namespace
}  // namespace cosmos
