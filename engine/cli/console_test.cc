#include "cli/console.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(Console, SignsInAsciiAreAsWideAsTheyWere) {
  EXPECT_EQ(InAscii("███▅▁░░ 37 °C, cut…"), "###=_.. 37  C, cut~");
  EXPECT_EQ(Columns(InAscii("█░▁…")), Columns("█░▁…"));
}

TEST(Console, NamesOfOthersStayWhole) { EXPECT_EQ(InAscii("/shots/Grün/水.exr"), "/shots/Grün/水.exr"); }

}  // namespace
}  // namespace cosmos
