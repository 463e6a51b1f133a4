#include "core/frame_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FrameSet, IsReadAsRenderersWriteIt) {
  EXPECT_THAT(FrameSet::Parse("7").frames(), ElementsAre(7));
  EXPECT_THAT(FrameSet::Parse("1001-1004").frames(), ElementsAre(1001, 1002, 1003, 1004));
  EXPECT_THAT(FrameSet::Parse("1-10x4").frames(), ElementsAre(1, 5, 9));
  EXPECT_THAT(FrameSet::Parse("1,5,10-12").frames(), ElementsAre(1, 5, 10, 11, 12));
  EXPECT_THAT(FrameSet::Parse(" 12 , 1-3 ,2-4").frames(), ElementsAre(1, 2, 3, 4, 12));
  EXPECT_THAT(FrameSet::Parse("0001-0003").frames(), ElementsAre(1, 2, 3));
}

TEST(FrameSet, MayBeNegative) {
  EXPECT_THAT(FrameSet::Parse("-5").frames(), ElementsAre(-5));
  EXPECT_THAT(FrameSet::Parse("-2-1").frames(), ElementsAre(-2, -1, 0, 1));
  EXPECT_THAT(FrameSet::Parse("-5--3").frames(), ElementsAre(-5, -4, -3));
  EXPECT_THAT(FrameSet::Parse("-6-6x6").frames(), ElementsAre(-6, 0, 6));
}

TEST(FrameSet, SaysWhatItCannotRead) {
  for (const char* text : {"",         " ",  "-",   "--5",  "5-",     "5---3",       "9-3",     "a-b", "1-2-3",
                           "1 - 2",    "1,", ",1",  "1,,2", "1-10x",  "1-10x0",      "1-10x-2", "5x2", "x2",
                           "1-10x2x2", "+5", "1.5", "0x10", "1-10:2", "99999999999", "1\n"}) {
    EXPECT_THROW(FrameSet::Parse(text), Error) << text;
  }
}

TEST(FrameSet, IsBounded) {
  EXPECT_EQ(FrameSet::Parse("1-1000000").size(), FrameSet::kMaxFrames);
  EXPECT_EQ(FrameSet::Parse("1-9999999999x10000").size(), FrameSet::kMaxFrames);
  for (const char* text : {"0-1000000", "-999999999-9999999999", "1-1000000,1-1000000", "5,1-1000000"}) {
    EXPECT_THROW(FrameSet::Parse(text), Error) << text;
  }
}

TEST(FrameSet, IsWrittenAsItIsRead) {
  for (const char* text : {"7", "-5", "-5--3", "1001-1100", "1-99x2", "1,5,10-20", "1-9x4,10-12,20,30", "1,3"}) {
    EXPECT_EQ(FrameSet::Parse(text).ToString(), text);
  }
  EXPECT_EQ(FrameSet::Parse("1-100x2").ToString(), "1-99x2");
  EXPECT_EQ(FrameSet().ToString(), "");
}

TEST(FrameSet, KnowsItsFrames) {
  const FrameSet set = FrameSet::Parse("-3,1001-1003,1010");
  EXPECT_EQ(set.first(), -3);
  EXPECT_EQ(set.last(), 1010);
  EXPECT_TRUE(set.Contains(1002));
  EXPECT_FALSE(set.Contains(1004));
  EXPECT_EQ(FrameSet({1003, 1001, 1002, 1010, -3, 1001}), set);
}

TEST(FrameSet, TellsWhatIsMissing) {
  const FrameSet wanted = FrameSet::Parse("1001-1010"), there = FrameSet::Parse("1-1003,1007-1009");
  EXPECT_EQ(wanted.Without(there), FrameSet::Parse("1004-1006,1010"));
  EXPECT_EQ(wanted.Without(there).Excerpt(), "1004-1006, 1010");
  EXPECT_THAT(wanted.Without(wanted).frames(), IsEmpty());
}

TEST(FrameSet, IsShownShort) {
  std::vector<std::int64_t> squares;
  for (int i = 0; i < 20; ++i) squares.push_back(i * i);
  EXPECT_EQ(FrameSet(squares).Excerpt(), "0-1, 4, 9, 16, 25, 36, 49, 64, … (20 frames in all)");
}

}  // namespace
}  // namespace cosmos
