#include "cli/gpu_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cosmos {
namespace {

using testing::HasSubstr;
using testing::Not;

GpuFacts Gpu(int index, std::optional<double> utilization, std::optional<std::int64_t> memory) {
  GpuFacts gpu;
  gpu.index = index;
  gpu.utilization = utilization;
  gpu.memory_used = memory;
  gpu.memory_total = 80'000'000'000;
  return gpu;
}

TEST(GpuPlotTest, DrawsUtilisationAndMemoryOverTheTime) {
  GpuPlot plot{"render", {}};
  for (int i = 0; i < 32; ++i) plot.samples.push_back({1000 * i, {Gpu(0, i / 31.0, 40'000'000'000)}});
  EXPECT_EQ(PlotAsText(plot, 41),
            "\nrender, GPU 0: utilisation\n"
            "   100 %│                        ▁▂▃▄▅▆▇█\n"
            "        │                ▁▂▃▄▅▆▇█████████\n"
            "        │         ▁▂▃▄▅▆▇████████████████\n"
            "       0│▁▁▂▃▄▅▆▇████████████████████████\n"
            "\nrender, GPU 0: memory\n"
            "   80 GB│                                \n"
            "        │                                \n"
            "        │████████████████████████████████\n"
            "       0│████████████████████████████████\n"
            "        └0 s                         31 s\n");
}

TEST(GpuPlotTest, WhatWasNotWatchedOrToldStaysBlank) {
  GpuPlot plot{"render", {}};
  plot.samples.push_back({0, {Gpu(3, 1.0, std::nullopt)}});
  plot.samples.push_back({320'000, {Gpu(3, 1.0, std::nullopt)}});
  const std::string text = PlotAsText(plot, 41);
  EXPECT_THAT(text, HasSubstr("       0│██████                         █\n"));
  EXPECT_THAT(text, HasSubstr("       0│                                \n"));  // of memory
  EXPECT_EQ(PlotAsText({"none", {}}, 80), "");
}

TEST(GpuPlotTest, WritesASvgWithALineForEachGpu) {
  GpuPlot plot{"render.a<b>&c", {}};
  plot.samples.push_back({0, {Gpu(0, 0.0, 0), Gpu(1, 1.0, 1)}});
  plot.samples.push_back({5000, {Gpu(0, 1.0, 0), Gpu(1, 0.5, 1)}});
  plot.samples.push_back({100'000, {Gpu(0, 1.0, 0), Gpu(1, 0.5, 1)}});
  const std::string svg = PlotsAsSvg({plot});
  EXPECT_THAT(svg, HasSubstr("render.a&lt;b>&amp;c: utilisation"));
  EXPECT_THAT(svg, HasSubstr("points=\"60.0,184.0 61.0,184.0 105.0,34.0\""));
  EXPECT_THAT(svg, HasSubstr(">GPU 1</text>"));
  std::size_t lines = 0;
  for (std::size_t at = svg.find("<polyline"); at != svg.npos; at = svg.find("<polyline", at + 1)) ++lines;
  EXPECT_EQ(lines, 8u);  // two GPUs, two measures, two stretches
  EXPECT_THAT(PlotsAsSvg({}), Not(HasSubstr("<polyline")));
}

// Everything between `begin` and the next quote, for each of them.
std::vector<std::string> Values(const std::string& text, const std::string& begin) {
  std::vector<std::string> values;
  for (std::size_t at = text.find(begin); at != text.npos; at = text.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    values.push_back(text.substr(from, text.find('"', from) - from));
  }
  return values;
}

TEST(GpuPlotTest, ManyGpusHaveLegendsOfTheirOwnAndColoursOfTheirOwn) {
  GpuPlot plot{"render", {}};
  for (int t = 0; t < 3; ++t) {
    GpuSeriesSample sample{1000 * t, {}};
    for (int i = 0; i < 16; ++i) sample.gpus.push_back(Gpu(i, i / 16.0, 1));
    plot.samples.push_back(sample);
  }
  const std::string svg = PlotsAsSvg({plot});
  std::set<std::string> colours;
  for (const std::string& style : Values(svg, "<polyline fill=\"none\" stroke=\"")) colours.insert(style);
  EXPECT_EQ(colours.size(), 16u);
  const int width = std::stoi(Values(svg, "width=\"").at(0));
  std::set<std::pair<int, int>> places;
  for (std::size_t at = svg.find(">GPU "); at != svg.npos; at = svg.find(">GPU ", at + 1)) {
    const std::string text = svg.substr(svg.rfind("<text", at), at - svg.rfind("<text", at));
    const int x = std::stoi(Values(text, "x=\"").at(0)), y = std::stoi(Values(text, "y=\"").at(0));
    EXPECT_TRUE(places.insert({x, y}).second) << x << "," << y;
    EXPECT_LT(x + 45, width);
    EXPECT_LT((y - 34) % (34 + 150 + 30), 150) << y;  // beside its own panel
  }
  EXPECT_EQ(places.size(), 32u);
}

}  // namespace
}  // namespace cosmos
