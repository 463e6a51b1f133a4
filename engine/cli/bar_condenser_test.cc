#include "cli/bar_condenser.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(BarCondenserTest, KeepsTheLastPartOfALine) {
  BarCondenser condenser;
  EXPECT_EQ(condenser.Push("a\n\r  0%|\r 50%|\r100%|\nb\n"), "a\n100%|\nb\n");
  EXPECT_EQ(condenser.Push("0%\r50%\r100%\r\n\n"), "100%\n\n");  // with '\r' behind each, and an empty line
  EXPECT_EQ(condenser.Push("of Windows\r\n"), "of Windows\n");
  EXPECT_EQ(condenser.Rest(), "");
}

TEST(BarCondenserTest, PiecesMaySplitAnything) {
  const std::string log = "a\n\r  0%|\r 50%|\r100%|\nb\n\r1\r2";
  BarCondenser condenser;
  std::string shown;
  for (const char c : log) shown += condenser.Push(std::string(1, c));
  EXPECT_EQ(shown + condenser.Rest(), "a\n100%|\nb\n2");
}

TEST(BarCondenserTest, TellsTheLatestPartOnce) {
  BarCondenser condenser;
  EXPECT_EQ(condenser.Push("no bar"), "");
  EXPECT_EQ(condenser.Latest(), "");
  EXPECT_EQ(condenser.Push("\n\r 0%|\r 50%|"), "no bar\n");
  EXPECT_EQ(condenser.Latest(), " 50%|\r");
  EXPECT_EQ(condenser.Latest(), "");
  condenser.Push("\r 60%|");
  EXPECT_EQ(condenser.Latest(), " 60%|\r");
  EXPECT_EQ(condenser.Push("\n"), " 60%|\n");
  EXPECT_EQ(condenser.Latest(), "");
}

TEST(BarCondenserTest, DoesNotHoldBackALineWithoutEnd) {
  BarCondenser condenser;
  const std::string piece(BarCondenser::kLongestLine, 'x');
  EXPECT_EQ(condenser.Push(piece), "");
  EXPECT_EQ(condenser.Push("x"), piece + "x");
  EXPECT_EQ(condenser.Push("y\n"), "y\n");
}

}  // namespace
}  // namespace cosmos
