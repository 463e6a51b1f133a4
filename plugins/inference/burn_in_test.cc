#include "inference/burn_in.h"

#include <gtest/gtest.h>

namespace cosmos::plugins {
namespace {

TEST(WrapForBurnIn, BreaksBetweenWords) {
  EXPECT_EQ(WrapForBurnIn("a rainy city at night", 10, 5), "a rainy\ncity at\nnight");
  EXPECT_EQ(WrapForBurnIn("exactly ten", 11, 5), "exactly ten");
  EXPECT_EQ(WrapForBurnIn("exactly ten", 10, 5), "exactly\nten");
}

TEST(WrapForBurnIn, BreaksAWordThatIsLongerThanALine) {
  EXPECT_EQ(WrapForBurnIn("abcdefgh ij", 3, 9), "abc\ndef\ngh\nij");
}

TEST(WrapForBurnIn, KeepsTheTextsOwnLines) { EXPECT_EQ(WrapForBurnIn("one\n\ntwo \n", 20, 9), "one\n\ntwo"); }

TEST(WrapForBurnIn, TellsThatSomethingIsLeftOut) {
  EXPECT_EQ(WrapForBurnIn("a b c d", 1, 2), "a\nb…");
  EXPECT_EQ(WrapForBurnIn("a b", 1, 2), "a\nb");
}

TEST(WrapForBurnIn, CountsWideCharactersTwice) {
  EXPECT_EQ(WrapForBurnIn("🌧🌧🌧", 4, 9), "🌧🌧\n🌧");
  EXPECT_EQ(WrapForBurnIn("雨の夜", 4, 9), "雨の\n夜");
  EXPECT_EQ(WrapForBurnIn("éééé", 4, 9), "éééé");
}

TEST(WrapForBurnIn, KeepsEverySignAndDropsControls) {
  EXPECT_EQ(WrapForBurnIn("\"q\" $(x) `y` %{n} a\\b 'c': [d];", 80, 2), "\"q\" $(x) `y` %{n} a\\b 'c': [d];");
  EXPECT_EQ(WrapForBurnIn("a\tb\x01"
                          "c",
                          80, 2),
            "a b c");
}

TEST(WrapForBurnIn, MendsWhatIsNotUtf8) {
  EXPECT_EQ(WrapForBurnIn("a\xFF"
                          "b\xE2\x80",
                          80, 2),
            "a\uFFFDb\uFFFD\uFFFD");
}

TEST(WrapForBurnIn, NothingStaysNothing) { EXPECT_EQ(WrapForBurnIn(" \n ", 80, 2), ""); }

}  // namespace
}  // namespace cosmos::plugins
