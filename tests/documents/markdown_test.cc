#include "documents/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const std::string kPage =
    "# Page\n\nSee `a b` and `c\nd`.\n\n```yaml config\n  a: 1\n\n    b: 2\n```\n\n## One\n\n| `k` or `l` | w "
    "|\n|---|---|\n"
    "| `x`, `y` | z |\n\n### Below\n\n| h |\n|---|\n| `v` |\n\n## Two\n\n| h |\n|---|\n| `no` |\n\n```\n`no "
    "span`\n```\n";

TEST(MarkdownTest, FindsFencesWithTheirPlaces) {
  const auto fences = FencesOf("p.md", kPage);
  ASSERT_THAT(fences, SizeIs(2));
  EXPECT_EQ(fences[0].language + " " + fences[0].mark, "yaml config");
  EXPECT_EQ(fences[0].text, "a: 1\n\n  b: 2\n");
  EXPECT_EQ(fences[0].Place(), "p.md:7");
  EXPECT_EQ(fences[1].language, "");
}

TEST(MarkdownTest, FindsCodeSpansOutsideOfFences) {
  std::vector<std::string> texts;
  for (const Place& span : CodeSpansOf("p.md", kPage)) texts.push_back(span.text);
  EXPECT_THAT(texts, ElementsAre("a b", "c d", "k", "l", "x", "y", "v", "no"));
  EXPECT_EQ(CodeSpansOf("p.md", kPage)[1].line, 3);
}

TEST(MarkdownTest, FindsTheRowsOfASection) {
  EXPECT_THAT(RowsBelow("## One", kPage), ElementsAre(ElementsAre("`x`, `y`", "z"), ElementsAre("`v`")));
  EXPECT_THAT(CodeIn("`x`, `y`"), ElementsAre("x", "y"));
}

}  // namespace
}  // namespace cosmos::testing
