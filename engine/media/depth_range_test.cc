#include "media/depth_range.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"

namespace cosmos {
namespace {

TEST(DepthRange, IsRead) {
  EXPECT_EQ(ParseDepthRange("0.1:250"), (DepthRange{0.1, 250}));
  EXPECT_EQ(ParseDepthRange("-20:-1"), (DepthRange{-20, -1}));
  for (const char* text : {"", "1", "1:", ":1", "2:1", "1:1", "a:b", "1:inf", "nan:1", "1:2:3"}) {
    EXPECT_THROW(ParseDepthRange(text), Error) << text;
  }
}

TEST(GreyOfDepth, NearIsWhite) {
  const DepthRange range{2, 12};
  EXPECT_EQ(GreyOfDepth(2, range, false), 255);
  EXPECT_EQ(GreyOfDepth(7, range, false), 128);
  EXPECT_EQ(GreyOfDepth(12, range, false), 0);
  EXPECT_EQ(GreyOfDepth(1, range, false), 255);
  EXPECT_EQ(GreyOfDepth(100, range, false), 0);
}

TEST(GreyOfDepth, InvertedFarIsWhiteAndNothingStaysBlack) {
  const DepthRange range{2, 12};
  const float nothing = std::numeric_limits<float>::infinity();
  EXPECT_EQ(GreyOfDepth(2, range, true), 0);
  EXPECT_EQ(GreyOfDepth(12, range, true), 255);
  EXPECT_EQ(GreyOfDepth(nothing, range, true), 0);
  EXPECT_EQ(GreyOfDepth(nothing, range, false), 0);
}

TEST(GreyOfDepth, AFlatSceneIsNear) { EXPECT_EQ(GreyOfDepth(5, {5, 5}, false), 255); }

}  // namespace
}  // namespace cosmos
