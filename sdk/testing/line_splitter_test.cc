// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cosmos/line_splitter.hpp>
#include <string>
#include <vector>

namespace cosmos::sdk {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Split(const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  for (const std::string& piece : pieces) splitter.Push(piece);
  splitter.Finish();
  return lines;
}

TEST(LineSplitter, EndsLinesAtBothKindsOfLineEnd) {
  EXPECT_THAT(Split({"one\ntwo\rthree\r\nfour"}), ElementsAre("one", "two", "three", "four"));
}

TEST(LineSplitter, JoinsPieces) {
  EXPECT_THAT(Split({"fra", "me=", "1\rfr", "", "ame=2\r"}), ElementsAre("frame=1", "frame=2"));
}

TEST(LineSplitter, GivesAnEndlessLineInParts) {
  std::size_t longest = 0;
  std::size_t total = 0;
  LineSplitter splitter([&](std::string_view line) {
    longest = std::max(longest, line.size());
    total += line.size();
  });
  for (int i = 0; i < 1000; ++i) splitter.Push(std::string(1000, 'x'));
  splitter.Finish();
  EXPECT_EQ(total, 1'000'000u);
  EXPECT_LE(longest, 70'000u);
}

}  // namespace
}  // namespace cosmos::sdk
