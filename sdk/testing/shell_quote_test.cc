// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include <cosmos/shell_quote.hpp>

#include "testing/fake_host.h"

namespace cosmos::sdk {
namespace {

TEST(ShellQuote, GivesEveryTextBackUnchanged) {
  for (const std::string text : {"", "plain", "it's", "$(touch x) `touch y` $HOME", "a\\b\\", "\"q\"", "new\nline",
                                 "!*?[a]~;&|<>#", "🌧️ 雨"}) {
    EXPECT_EQ(testing::Shell("printf '%s.' " + ShellQuote(text)), text + ".");
  }
}

TEST(ShellQuote, RefusesNul) {
  try {
    ShellQuote(std::string_view("a\0b", 3));
    FAIL();
  } catch (const StageFailure& failure) {
    EXPECT_EQ(failure.kind(), "invalid_input");
  }
}

TEST(ShellJoin, KeepsArgumentsApart) {
  EXPECT_EQ(testing::Shell(ShellJoin({"printf", "<%s>", "a b", "", "c'd"})), "<a b><><c'd>");
}

}  // namespace
}  // namespace cosmos::sdk
