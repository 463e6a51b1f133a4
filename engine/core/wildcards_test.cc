#include "core/wildcards.h"

#include <gtest/gtest.h>

#include <string>

namespace cosmos {
namespace {

TEST(Wildcards, MatchAllOfTheText) {
  const auto matches = [](const char* pattern, const char* text) {
    return MatchesWildcards(pattern, text, WildcardUnit::kByte);
  };
  for (const char* pattern : {"a.exr", "*", "a*", "*.exr", "a?exr", "*a*.*exr*", "?.???", "**"}) {
    EXPECT_TRUE(matches(pattern, "a.exr")) << pattern;
  }
  for (const char* pattern : {"", "a", "a.ex", "?", "b*", "*.png", "a??exr", "A.exr"}) {
    EXPECT_FALSE(matches(pattern, "a.exr")) << pattern;
  }
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_FALSE(matches("?", ""));
}

TEST(Wildcards, AQuestionMarkIsAByteOrACharacter) {
  EXPECT_TRUE(MatchesWildcards("?.exr", "é.exr", WildcardUnit::kCharacter));
  EXPECT_FALSE(MatchesWildcards("?.exr", "é.exr", WildcardUnit::kByte));
  EXPECT_TRUE(MatchesWildcards("??.exr", "é.exr", WildcardUnit::kByte));
}

TEST(Wildcards, ManyStarsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesWildcards(pattern + "b", std::string(10'000, 'a'), WildcardUnit::kByte));
}

}  // namespace
}  // namespace cosmos
