#include "run/metrics/metrics_text.h"

#include <gtest/gtest-spi.h>

#include <cmath>

#include "run/metrics/metrics_fixture.h"

namespace cosmos {
namespace {

using Type = MetricsText::Type;

TEST(MetricsTextTest, IsAsThePrometheusFormatWantsIt) {
  MetricsText text;
  text.Begin("a_total", Type::kCounter, "How many\nthere are, with a \\ in it.");
  text.Add({}, 3);
  text.Begin("empty", Type::kGauge, "Nothing.");
  text.Begin("b_ratio", Type::kGauge, "A part.");
  text.Add({{"name", "a \"b\"\\c\nd"}, {"x", ""}}, 0.25);
  text.Add({{"name", "e"}, {"x", "é"}}, 1e21);
  EXPECT_EQ(text.text(),
            "# HELP a_total How many\\nthere are, with a \\\\ in it.\n# TYPE a_total counter\na_total 3\n"
            "# HELP b_ratio A part.\n# TYPE b_ratio gauge\nb_ratio{name=\"a \\\"b\\\"\\\\c\\nd\",x=\"\"} 0.25\n"
            "b_ratio{name=\"e\",x=\"é\"} 1e+21\n");
  EXPECT_EQ(Exposition(text.text()).size(), 3u);
}

TEST(MetricsTextTest, HistogramsAreCumulative) {
  MetricsText text;
  text.Begin("took_seconds", Type::kHistogram, "How long it took.");
  const int bounds[] = {1, 10};
  text.AddHistogram({{"uses", "a"}}, bounds, {2, 0, 3}, 61.5);
  text.AddHistogram({{"uses", "b"}}, bounds, {0, 0, 0}, 0);
  const Exposition samples(text.text());
  EXPECT_EQ(samples["took_seconds_bucket{le=\"1\",uses=\"a\"}"], 2);
  EXPECT_EQ(samples["took_seconds_bucket{le=\"10\",uses=\"a\"}"], 2);
  EXPECT_EQ(samples["took_seconds_bucket{le=\"+Inf\",uses=\"a\"}"], 5);
  EXPECT_EQ(samples["took_seconds_sum{uses=\"a\"}"], 61.5);
  EXPECT_EQ(samples["took_seconds_count{uses=\"a\"}"], 5);
  EXPECT_EQ(samples["took_seconds_count{uses=\"b\"}"], 0);
}

TEST(MetricsTextTest, NumbersThatAreNone) {
  MetricsText text;
  text.Begin("a", Type::kGauge, "A.");
  text.Add({{"x", "1"}}, std::nan(""));
  text.Add({{"x", "2"}}, INFINITY);
  text.Add({{"x", "3"}}, -INFINITY);
  EXPECT_TRUE(text.text().find("} NaN\na{x=\"2\"} +Inf\na{x=\"3\"} -Inf\n") != std::string::npos) << text.text();
}

// The other tests rest on it.
TEST(ExpositionTest, RefusesWhatTheFormatDoesNotAllow) {
  const std::string good = "# HELP a A.\n# TYPE a gauge\n";
  for (const std::string& bad :
       {good + "a 1", good + "a 1\n\n", good + "a 1\na 2\n", good + "b 1\n", good + "a{x=\"1\"y=\"2\"} 1\n",
        good + "a{x=\"1\",} 1\n", good + "a{x=\"\\t\"} 1\n", good + "a{x=\"1\",x=\"2\"} 1\n", good + "a one\n", good,
        good + "a 1\n" + good + "a 2\n", std::string("# HELP a A.\n# TYPE a counter\na 1\n"),
        std::string("# HELP a_total A.\n# TYPE a_total counter\na_total -1\n"), std::string("a 1\n"),
        std::string("# HELP a A.\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n")}) {
    testing::TestPartResultArray failures;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
      const Exposition samples(bad);
    }
    EXPECT_GT(failures.size(), 0) << bad;
  }
  EXPECT_EQ(Exposition(good + "a 1\n").size(), 1u);
}

}  // namespace
}  // namespace cosmos
