#include "core/clock.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsUnitsSumsAndBareSeconds) {
  EXPECT_EQ(ParseDuration("500ms"), 500ms);
  EXPECT_EQ(ParseDuration("30s"), 30s);
  EXPECT_EQ(ParseDuration("1h30m"), 90min);
  EXPECT_EQ(ParseDuration("1.5h"), 90min);
  EXPECT_EQ(ParseDuration("1d"), 24h);
  EXPECT_EQ(ParseDuration("90"), 90s);
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"", "s", "1x", "-1s", "1h30", "1 h", "nan", "inf", "1e9d"}) {
    EXPECT_THROW(ParseDuration(text), Error) << text;
  }
}

TEST(FormatTime, RoundTrips) {
  const WallTime time = WallTime(1795441602017ms);
  EXPECT_EQ(FormatTime(time), "2026-11-23T13:46:42.017Z");
  EXPECT_EQ(ParseTime(FormatTime(time)), time);
  EXPECT_THROW(ParseTime("yesterday"), Error);
}

TEST(FormatDuration, IsForPeople) {
  EXPECT_EQ(FormatDuration(420ms), "0.4 s");
  EXPECT_EQ(FormatDuration(12s), "12 s");
  EXPECT_EQ(FormatDuration(185s), "3 min 05 s");
  EXPECT_EQ(FormatDuration(130min), "2 h 10 min");
}

// Both clocks stand where a test puts them.
class SetClock final : public Clock {
 public:
  WallTime Wall() override { return wall; }
  SteadyTime Steady() override { return steady; }
  WallTime wall = FromUnixMilliseconds(1'000'000'000);
  SteadyTime steady;
};

TEST(EndedAt, IsNowUnlessTheClockWasSetBack) {
  SetClock clock;
  const std::int64_t started_at = UnixMilliseconds(clock.wall);
  const SteadyTime begun = clock.steady;
  clock.wall += std::chrono::seconds(57);
  clock.steady += std::chrono::seconds(57);
  EXPECT_EQ(EndedAt(&clock, started_at, begun), started_at + 57'000);
  clock.wall -= std::chrono::hours(1);
  EXPECT_EQ(EndedAt(&clock, started_at, begun), started_at + 57'000);
  // A machine that sleeps does not count; its wall clock does.
  clock.wall += std::chrono::hours(9);
  EXPECT_EQ(EndedAt(&clock, started_at, begun), started_at + 57'000 + 8 * 3'600'000);
}

}  // namespace
}  // namespace cosmos
