#include "common/phase_timings.h"

#include <gtest/gtest.h>

namespace cosmos::plugins {
namespace {

using sdk::Json;

Json Timings(double loading, double rendering, double rounds) {
  return {{"phases", {{"loading", loading}, {"rendering", rendering}}}, {"rounds", rounds}};
}

TEST(PhaseTimingsTest, ExpectsTheMedianOfEachPhase) {
  const auto expected = PhaseTimings::Expected({Timings(10, 300, 2), Timings(900, 320, 2), Timings(12, 310, 2)});
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->Of("loading"), 12);  // one that waited for a disk changes nothing
  EXPECT_EQ(expected->Of("rendering"), 310);
  EXPECT_EQ(expected->Of("decoding"), 0);
  EXPECT_EQ(expected->rounds, 2);
  EXPECT_EQ(PhaseTimings::Expected({Timings(10, 300, 2), Timings(20, 400, 4)})->Of("rendering"), 350);
}

TEST(PhaseTimingsTest, PassesOverWhatItCannotRead) {
  EXPECT_FALSE(PhaseTimings::Expected({}));
  EXPECT_FALSE(PhaseTimings::Expected({Json("x"), {{"phases", {{"loading", -1}}}}, {{"phases", {{"loading", "1"}}}}}));
  const auto expected = PhaseTimings::Expected({Json::array(), Timings(10, 300, 2)});
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->Of("loading"), 10);
}

TEST(PhaseTimingsTest, ItsJsonIsReadAgain) {
  const PhaseTimings timings{{{"loading", 1.5}}, 35};
  const auto again = PhaseTimings::Expected({timings.ToJson()});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->phases, timings.phases);
  EXPECT_EQ(again->rounds, 35);
}

TEST(HistoryKeyTest, HoldsTheModelAndWhatIsGiven) {
  EXPECT_EQ(HistoryKey("m", {{"num_steps", 35}, {"prompt", "x"}}, {"num_steps", "resolution"}),
            (Json{{"model", "m"}, {"num_steps", 35}}));
}

TEST(HistoryKeyTest, HoldsWhatTheVideoWillBeLike) {
  sdk::VideoExpectation video;
  video.as_long_as = {"in.mp4"};
  EXPECT_EQ(HistoryKey("m", Json::object(), {}, video).at("video"), video.ToJson());
}

}  // namespace
}  // namespace cosmos::plugins
