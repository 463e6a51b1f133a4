#include "core/spelling.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

// The part of `text` that stands for `secret`, or "" when there is none.
std::string Found(std::string_view secret, std::string_view text) {
  const Spelling spelling = Spelling::OfText(secret);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto match = spelling.At(text, at);
    if (match.end != text.npos) return std::string(text.substr(at, match.end - at));
  }
  return "";
}

TEST(Spelling, OfEscapesOfJson) {
  for (const char* text : {R"(a\"b\\c/d)", R"(a\u0022b\u005cc\/d)", R"(\u0061\"b\u005Cc\u002Fd)",
                           R"(a\\\"b\\\\\\\\c\\/d)", R"(a"b\c/d)"}) {
    EXPECT_EQ(Found("a\"b\\c/d", std::string("x") + text + "x"), text);
  }
  EXPECT_EQ(Found("one\ntwo", R"(one\ntwo)"), R"(one\ntwo)");
  EXPECT_EQ(Found("one\ntwo", R"(one\u000Atwo)"), R"(one\u000Atwo)");
  EXPECT_EQ(Found("clé", R"(cl\u00e9)"), R"(cl\u00e9)");
  EXPECT_EQ(Found("a😀b", R"(a\uD83D\uDE00b)"), R"(a\uD83D\uDE00b)");
  EXPECT_EQ(Found("a😀b", R"(a\uD83D\uDE01b)"), "");
}

TEST(Spelling, OfShells) {
  for (const char* text : {R"(it'\''s $5)", R"(it'"'"'s $5)", R"(it\'s\ \$5)", R"($'it\'s $5')", R"("it's \$5")"}) {
    EXPECT_NE(Found("it's $5", text), "") << text;
  }
  EXPECT_EQ(Found("one\ntwo", R"($'one\ntwo')"), R"(one\ntwo)");
}

TEST(Spelling, OfUrls) {
  for (const char* text : {"p%40ss%20w%2Frd", "p%40ss+w%2frd", "p@ss%2520w/rd", "%70%40%73%73%20%77%2F%72%64"}) {
    EXPECT_EQ(Found("p@ss w/rd", text), text);
  }
  EXPECT_EQ(Found("clé", "cl%C3%A9"), "cl%C3%A9");
  EXPECT_EQ(Found("100% sure", "100%25%20sure"), "100%25%20sure");
}

TEST(Spelling, OfHtmlCPythonAndCsv) {
  EXPECT_EQ(Found("<a&\"b'>", "&lt;a&amp;&quot;b&#39;&gt;"), "&lt;a&amp;&quot;b&#39;&gt;");
  EXPECT_EQ(Found("a'b", "a&#x27;b"), "a&#x27;b");
  EXPECT_EQ(Found("a\x01\xC3\xA9", R"(a\x01\xc3\xa9)"), R"(a\x01\xc3\xa9)");
  EXPECT_EQ(Found("a\x01\xC3\xA9", R"(a\001\303\251)"), R"(a\001\303\251)");
  EXPECT_EQ(Found("a\"b", "\"a\"\"b\""), "a\"\"b");
}

TEST(Spelling, OfBase64AtEachAlignmentInEachAlphabetAndInLines) {
  const auto found = [](std::string_view secret, std::string_view text) {
    for (const Spelling& spelling : Spelling::OfBase64(secret)) {
      for (std::size_t at = 0; at < text.size(); ++at) {
        const auto match = spelling.At(text, at);
        if (match.end != text.npos) return std::string(text.substr(at, match.end - at));
      }
    }
    return std::string();
  };
  EXPECT_EQ(found("gold-token", "Z29sZC10b2tlbg=="), "Z29sZC10b2tlbg");      // gold-token
  EXPECT_EQ(found("gold-token", "eGdvbGQtdG9rZW54"), "GdvbGQtdG9rZW5");      // xgold-tokenx
  EXPECT_EQ(found("gold-token", "eHhnb2xkLXRva2VueHg="), "hnb2xkLXRva2Vu");  // xxgold-tokenxx
  EXPECT_EQ(found("gold-token", "Z29sZC10\nb2tlbg=="), "Z29sZC10\nb2tlbg");
  EXPECT_EQ(found("gold-token", "Z29sZC10\\nb2tlbg=="), "Z29sZC10\\nb2tlbg");
  EXPECT_EQ(found("\xff\xfe\xfd\xfc", "__79_A=="), "__79_A");
  EXPECT_EQ(found("\xff\xfe\xfd\xfc", "//79/A=="), "//79/A");
  EXPECT_EQ(found("\xff\xfe\xfd\xfc", "%2F%2f79\\/A"), "%2F%2f79\\/A");
  EXPECT_EQ(found("gold-token", "Z29sZC10b2tlcg=="), "");
}

TEST(Spelling, DoesNotTakeOtherTextsForIt) {
  EXPECT_EQ(Found("a\"b", "a'b"), "");
  EXPECT_EQ(Found("nabc", "\\xabc"), "");
  EXPECT_EQ(Found("abcd", "ab%63e"), "");
  EXPECT_EQ(Found("ab", "a&b;"), "");
}

TEST(Spelling, SaysWhetherMoreTextMayMakeIt) {
  const Spelling spelling = Spelling::OfText("a\"b");
  for (const char* text : {"a", "a\\", "a\\u00", "a%2", "a&quo", "a\""}) EXPECT_TRUE(spelling.At(text, 0).open) << text;
  for (const char* text : {"b", "a\\u0123", "a\\u0022c", "a%2g"}) EXPECT_FALSE(spelling.At(text, 0).open) << text;
}

}  // namespace
}  // namespace cosmos
