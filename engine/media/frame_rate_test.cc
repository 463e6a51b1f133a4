#include "media/frame_rate.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

TEST(FrameRate, IsAWholeNumberAFractionOrADecimal) {
  EXPECT_EQ(ParseFrameRate("24"), (FrameRate{24, 1}));
  EXPECT_EQ(ParseFrameRate("24.0"), (FrameRate{24, 1}));
  EXPECT_EQ(ParseFrameRate("48/2"), (FrameRate{24, 1}));
  EXPECT_EQ(ParseFrameRate("24000/1001"), (FrameRate{24000, 1001}));
  EXPECT_EQ(ParseFrameRate("12.5"), (FrameRate{25, 2}));
}

TEST(FrameRate, KnowsWhatDecimalsStandFor) {
  EXPECT_EQ(ParseFrameRate("23.976"), (FrameRate{24000, 1001}));
  EXPECT_EQ(ParseFrameRate("23.98"), (FrameRate{24000, 1001}));
  EXPECT_EQ(ParseFrameRate("29.97"), (FrameRate{30000, 1001}));
  EXPECT_EQ(ParseFrameRate("59.94"), (FrameRate{60000, 1001}));
}

TEST(FrameRate, AnythingElseIsRefused) {
  for (const char* text : {"", "0", "-24", "24fps", "24/0", "0/1", "/", "1001", "nan", "inf", "1e9"}) {
    EXPECT_THROW(ParseFrameRate(text), Error) << text;
  }
}

TEST(FrameRate, IsWrittenShort) {
  EXPECT_EQ(ToString({24, 1}), "24");
  EXPECT_EQ(ToString({24000, 1001}), "24000/1001");
}

}  // namespace
}  // namespace cosmos
