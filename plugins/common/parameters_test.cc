#include "common/parameters.h"

#include <gtest/gtest.h>

#include <cosmos/failure.hpp>

namespace cosmos::plugins {
namespace {

TEST(Parameters, NumbersThatAreNotKnownYetAreFallbacks) {
  const sdk::Json parameters = {{"known", 2.5}, {"unknown", "${{ stages.a.outputs.n }}"}};
  EXPECT_EQ(Number(parameters, "known", 1), 2.5);
  EXPECT_EQ(Number(parameters, "unknown", 1), 1);
  EXPECT_EQ(Number(parameters, "absent", 1), 1);
}

TEST(Parameters, TextWithNulIsRefused) {
  EXPECT_EQ(Text({{"prompt", "rain"}}, "prompt"), "rain");
  EXPECT_EQ(Text({{"prompt", "rain"}}, "other"), "");
  EXPECT_THROW(Text({{"prompt", std::string("a\0b", 3)}}, "prompt"), sdk::StageFailure);
}

TEST(Parameters, FormatsNumbersAsPeopleWriteThem) {
  EXPECT_EQ(Format(0.4), "0.4");
  EXPECT_EQ(Format(24), "24");
  EXPECT_EQ(Format(1234567), "1234567");
  EXPECT_EQ(Format(23.976), "23.976");
}

}  // namespace
}  // namespace cosmos::plugins
