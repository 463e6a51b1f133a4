#include "core/text.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace cosmos {
namespace {

std::string ThroughShell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[256];
  while (size_t n = ::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  ::pclose(pipe);
  return output;
}

TEST(ShellQuote, KeepsPlainWordsReadable) {
  EXPECT_EQ(ShellQuote("a/b-c_1.mp4"), "a/b-c_1.mp4");
  EXPECT_EQ(ShellQuote(""), "''");
  EXPECT_EQ(ShellQuote("A=b"), "'A=b'");
}

TEST(ShellQuote, SurvivesARealShell) {
  for (const std::string word :
       {"it's", "$(touch x)", "`id`", "a\nb", "\\", "\"", "-n", "*", "~", "; rm", "\xF0\x9F\x8C\x83"}) {
    EXPECT_EQ(ThroughShell("printf %s " + ShellCommand({word})), word);
  }
}

TEST(TruncateUtf8, CutsBetweenCharacters) {
  EXPECT_EQ(TruncateUtf8("aé€😀", 3), "aé€");
  EXPECT_EQ(TruncateUtf8("abc", 10), "abc");
  EXPECT_EQ(TruncateUtf8("abc", 0), "");
}

TEST(TruncateUtf8, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(TruncateUtf8("a\xFF"
                         "b",
                         10),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(TruncateUtf8("\xC0\xAF", 10), "\xEF\xBF\xBD\xEF\xBF\xBD");    // overlong
  EXPECT_EQ(TruncateUtf8("\xED\xA0\x80", 1), "\xEF\xBF\xBD");             // a surrogate
  EXPECT_EQ(TruncateUtf8("x\xE2\x82", 10), "x\xEF\xBF\xBD\xEF\xBF\xBD");  // cut in the middle
}

TEST(Suggestion, FindsTheNearMiss) {
  EXPECT_EQ(Suggestion("nedds", {"uses", "needs", "when"}), "did you mean 'needs'?");
  EXPECT_EQ(Suggestion("zzz", {"uses", "needs"}), "expected one of uses, needs");
  EXPECT_EQ(NearestOf("matirx", {"matrix", "max"}), "matrix");
}

TEST(Counted, TakesAnSUnlessItIsOne) {
  EXPECT_EQ(Counted(0, "stage"), "0 stages");
  EXPECT_EQ(Counted(1, "stage"), "1 stage");
  EXPECT_EQ(Counted(2, "GPU"), "2 GPUs");
}

TEST(SplitLines, KeepsEmptyLinesAndNeedsNoNewlineAtTheEnd) {
  EXPECT_EQ(SplitLines("a\n\nb"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(SplitLines("a\n"), (std::vector<std::string>{"a"}));
}

TEST(Harmless, KeepsWhatIsText) {
  for (const char* text : {"", "plain\n\ttext", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\xAC"})
    EXPECT_EQ(Harmless(text), text);
  EXPECT_EQ(Harmless("a\r\nb"), "a\nb");
}

TEST(Harmless, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(Harmless("\033]0;title\a"), "\xE2\x90\x9B]0;title\xE2\x90\x87");
  EXPECT_EQ(Harmless("\033[2J"), "\xE2\x90\x9B[2J");
  EXPECT_EQ(Harmless("a\rb\b\x7F"),
            "a\xE2\x90\x8D"
            "b\xE2\x90\x88\xE2\x90\xA1");
  EXPECT_EQ(Harmless(std::string_view("\0", 1)), "\xE2\x90\x80");
  EXPECT_EQ(Harmless("\xC2\x9B"
                     "2J"),
            "<U+009B>2J");
  EXPECT_EQ(Harmless("\xE2\x80\xAE"
                     "txt.exe\xE2\x81\xA6\xE2\x80\x8B\xEF\xBB\xBF"),
            "<U+202E>txt.exe<U+2066><U+200B><U+FEFF>");
  EXPECT_EQ(Harmless("\x9B"
                     "2J\xFF"),
            "\xEF\xBF\xBD"
            "2J\xEF\xBF\xBD");
}

TEST(IsUtf8, KnowsWhatIs) {
  EXPECT_TRUE(IsUtf8("a\xC3\xA4\n"));
  EXPECT_FALSE(IsUtf8("caf\xE9"));
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsUtf8("\xC3"));
}

TEST(Text, AnExcerptIsOneShortLine) {
  EXPECT_EQ(Excerpt("\n\r\none\ntwo"), "one");
  EXPECT_EQ(Excerpt(""), "");
  EXPECT_EQ(Excerpt("\n"), "");
  EXPECT_EQ(Excerpt("äöü\r\n", 2), "äö");
}

TEST(Text, SmallLettersLeaveOtherAlphabetsAlone) {
  EXPECT_EQ(SmallLetters("A.EXR Zz[]@"), "a.exr zz[]@");
  EXPECT_EQ(SmallLetters("ÄÖ"), "ÄÖ");
}

}  // namespace
}  // namespace cosmos
