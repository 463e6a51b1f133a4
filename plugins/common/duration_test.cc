#include "common/duration.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace cosmos::plugins {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsWhatWorkflowsWrite) {
  EXPECT_EQ(ParseDuration("500ms"), 500ms);
  EXPECT_EQ(ParseDuration("2s"), 2s);
  EXPECT_EQ(ParseDuration("1m"), 1min);
  EXPECT_EQ(ParseDuration("1h30m"), 90min);
  EXPECT_EQ(ParseDuration("1d"), 24h);
  EXPECT_EQ(ParseDuration("0.25s"), 250ms);
  EXPECT_EQ(ParseDuration("2"), 2s);
  EXPECT_EQ(ParseDuration(2), 2s);
  EXPECT_EQ(ParseDuration(1.5), 1500ms);
  EXPECT_EQ(ParseDuration(0), 0s);
}

TEST(ParseDuration, RoundsUp) { EXPECT_EQ(ParseDuration(0.0001), 1ms); }

TEST(ParseDuration, RefusesTheRest) {
  for (const sdk::Json& value :
       {sdk::Json("soon"), sdk::Json(""), sdk::Json("s"), sdk::Json("2 s"), sdk::Json("1h30"), sdk::Json("-1s"),
        sdk::Json("nan"), sdk::Json("1e3"), sdk::Json(-1), sdk::Json(1e12), sdk::Json(true), sdk::Json(nullptr)}) {
    EXPECT_THROW(ParseDuration(value), std::invalid_argument) << value;
  }
  try {
    ParseDuration("soon");
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(),
                 "\"soon\" is not a duration; write a number with ms, s, m, h or d, such as 30s, 2h or 1h30m");
  }
}

}  // namespace
}  // namespace cosmos::plugins
