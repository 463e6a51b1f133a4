#include "cli/screen.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(ScreenTest, ShowsTheTopAndCountsTheRest) {
  EXPECT_EQ(FitToScreen("a\nb\nc\n", {4, 80}), "a\nb\nc\n");
  EXPECT_EQ(FitToScreen("a\nb\nc\nd\n", {4, 80}), "a\nb\nand 2 lines more; `cosmos-engine status` prints all\n");
  EXPECT_EQ(FitToScreen("a\nb\nc\nd\n", {}), "a\nb\nc\nd\n");
  EXPECT_EQ(FitToScreen("a\nb\nc\nd\n", {1, 80}), "a\nb\nc\nd\n");  // no screen is so small
}

TEST(ScreenTest, CutsLinesByCharactersAndKeepsColours) {
  EXPECT_EQ(FitToScreen("██████\n", {10, 4}), "████\n");
  EXPECT_EQ(FitToScreen("\033[31mred and more\033[0m\n", {10, 3}), "\033[31mred\033[0m\n");
  EXPECT_EQ(FitToScreen("a\nb\nc\nd\n", {3, 5}), "a\nand 3\n");
}

}  // namespace
}  // namespace cosmos
