#include "cli/gpu_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "core/clock.h"

namespace cosmos {
namespace {

constexpr int kLeastWidth = 40;
constexpr int kMargin = 9;  // columns for the labels of an axis
constexpr int kRows = 4;
constexpr int kLevels = 8;  // of a character
constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

struct Point {
  std::int64_t time = 0;
  std::optional<double> value;
};

// One measure of one GPU over the time.
struct Line {
  int gpu = 0;
  std::vector<Point> points;
};

struct Measure {
  std::string name;
  std::string unit;
  double most = 1;  // the top of its axis
  std::vector<Line> lines;
};

std::optional<double> Scaled(const std::optional<double>& value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

Measure MeasureOf(const GpuPlot& plot, const std::string& name, const std::string& unit, double most,
                  const std::function<std::optional<double>(const GpuFacts&)>& value) {
  std::map<int, Line> lines;
  Measure measure{name, unit, most, {}};
  for (const GpuSeriesSample& sample : plot.samples) {
    for (const GpuFacts& gpu : sample.gpus) {
      lines[gpu.index].gpu = gpu.index;
      lines[gpu.index].points.push_back({sample.time, value(gpu)});
    }
  }
  for (auto& [gpu, line] : lines) measure.lines.push_back(std::move(line));
  return measure;
}

Measure Utilization(const GpuPlot& plot) {
  return MeasureOf(plot, "utilisation", "%", 100, [](const GpuFacts& gpu) { return Scaled(gpu.utilization, 100); });
}

// Its axis ends with the GPU's memory, or, where that is not told, with the most that was used.
Measure Memory(const GpuPlot& plot) {
  double total = 0, used = 0;
  for (const GpuSeriesSample& sample : plot.samples) {
    for (const GpuFacts& gpu : sample.gpus) {
      total = std::max(total, static_cast<double>(gpu.memory_total.value_or(0)) / 1e9);
      used = std::max(used, static_cast<double>(gpu.memory_used.value_or(0)) / 1e9);
    }
  }
  return MeasureOf(plot, "memory", "GB", std::max({total, used, 0.001}), [](const GpuFacts& gpu) {
    return gpu.memory_used ? std::optional(static_cast<double>(*gpu.memory_used) / 1e9) : std::nullopt;
  });
}

// The line at so many moments: means of what lies there; between two samples the one before goes on.
std::vector<std::optional<double>> Columns(const Line& line, std::int64_t begin, std::int64_t end, int count) {
  std::vector<std::optional<double>> columns(static_cast<std::size_t>(count));
  const double step = std::max<double>(static_cast<double>(end - begin), 1) / count;
  std::size_t next = 0;
  std::optional<Point> last;
  for (int i = 0; i < count; ++i) {
    const double until = static_cast<double>(begin) + step * (i + 1);
    double sum = 0;
    int values = 0;
    for (; next < line.points.size() && (static_cast<double>(line.points[next].time) < until || i + 1 == count);
         ++next) {
      last = line.points[next];
      if (!last->value) continue;
      sum += *last->value;
      ++values;
    }
    std::optional<double>& column = columns[static_cast<std::size_t>(i)];
    if (values > 0) {
      column = sum / values;
    } else if (last && until - static_cast<double>(last->time) <= kLongestSampleGap) {
      column = last->value;
    }
  }
  return columns;
}

std::string ChartOf(const Measure& measure, const Line& line, std::int64_t begin, std::int64_t end, int width) {
  const std::vector<std::optional<double>> columns = Columns(line, begin, end, width - kMargin);
  std::string text;
  for (int row = kRows - 1; row >= 0; --row) {
    std::string label;
    if (row == kRows - 1) label = fmt::format("{:.0f} {}", measure.most, measure.unit);
    if (row == 0) label = "0";
    std::string cells;
    for (const std::optional<double>& value : columns) {
      const double part = std::clamp(value.value_or(0) / measure.most, 0.0, 1.0);
      int level = static_cast<int>(std::lround(part * kRows * kLevels)) - row * kLevels;
      if (row == 0 && value && level == 0) level = 1;  // what is known to be nothing is not blank
      cells += kBlocks[std::clamp(level, 0, kLevels)];
    }
    text += fmt::format("{:>{}}│{}\n", label, kMargin - 1, cells);
  }
  return text;
}

// --- SVG

constexpr int kPanelWidth = 900, kPanelHeight = 150, kLeft = 60, kTop = 34, kBottom = 30;
constexpr int kLegendGap = 10, kLegendRow = 16, kLegendColumn = 64;
constexpr std::size_t kLegendRows = kPanelHeight / kLegendRow;
// Neighbours differ; GPUs beyond them have other dashes.
constexpr const char* kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b",
                                    "#7f7f7f", "#e377c2", "#000000", "#bcbd22", "#00429d", "#7a0403", "#00a087",
                                    "#b279a2", "#ffb000", "#5a3e85", "#6b8e23", "#ff6f91", "#4c4c4c"};
constexpr const char* kDashes[] = {"", "6,3", "2,2", "8,3,2,3"};

std::string StyleOf(int gpu) {
  const auto number = static_cast<std::size_t>(std::max(gpu, 0));
  const std::string dash = kDashes[number / std::size(kColours) % std::size(kDashes)];
  return fmt::format("stroke=\"{}\"{}", kColours[number % std::size(kColours)],
                     dash.empty() ? "" : " stroke-dasharray=\"" + dash + "\"");
}

// How many columns the names of so many lines take, and how wide all of them are.
std::size_t LegendColumns(std::size_t lines) {
  return std::max<std::size_t>((lines + kLegendRows - 1) / kLegendRows, 1);
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (static_cast<unsigned char>(c) >= ' ') {
      escaped += c;
    }
  }
  return escaped;
}

std::string Label(double x, double y, const std::string& anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, Escaped(text));
}

// The line in pieces, one for each stretch that was watched.
std::string Polylines(const Measure& measure, const Line& line, std::int64_t begin, std::int64_t end, int top) {
  const std::string style = StyleOf(line.gpu);
  const double span = std::max<double>(static_cast<double>(end - begin), 1);
  std::string text, points;
  std::int64_t last = 0;
  const auto finish = [&] {
    if (!points.empty())
      text += fmt::format("<polyline fill=\"none\" {} stroke-width=\"1.5\" points=\"{}\"/>\n", style, points);
    points.clear();
  };
  for (const Point& point : line.points) {
    if (!point.value || point.time - last > kLongestSampleGap) finish();
    last = point.time;
    if (!point.value) continue;
    const double x = kLeft + static_cast<double>(point.time - begin) / span * kPanelWidth;
    const double y = top + kPanelHeight * (1 - std::clamp(*point.value / measure.most, 0.0, 1.0));
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x, y);
    if (points.find(' ') == points.npos) points += fmt::format(" {:.1f},{:.1f}", x + 1, y);  // a single sample shows
  }
  finish();
  return text;
}

std::string Panel(const Measure& measure, const std::string& title, std::int64_t begin, std::int64_t end, int top) {
  std::string text = Label(kLeft, top - 8, "start", title + ": " + measure.name);
  text += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\"/>\n", kLeft,
                      top, kPanelWidth, kPanelHeight);
  for (const double part : {0.0, 0.5, 1.0}) {
    const double y = top + kPanelHeight * (1 - part);
    text += Label(kLeft - 6, y + 4, "end", fmt::format("{:.3g} {}", measure.most * part, measure.unit));
    text += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n", kLeft,
                        kLeft + kPanelWidth, y);
  }
  text += Label(kLeft, top + kPanelHeight + 16, "start", FormatTime(FromUnixMilliseconds(begin)));
  text += Label(kLeft + kPanelWidth, top + kPanelHeight + 16, "end",
                "+ " + FormatDuration(std::chrono::milliseconds(end - begin)));
  for (std::size_t i = 0; i < measure.lines.size(); ++i) {
    const Line& line = measure.lines[i];
    text += Polylines(measure, line, begin, end, top);
    const int x = kLeft + kPanelWidth + kLegendGap + static_cast<int>(i / kLegendRows) * kLegendColumn;
    const int y = top + 12 + kLegendRow * static_cast<int>(i % kLegendRows);
    text += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\" {} stroke-width=\"3\"/>\n", x, x + 12, y - 4,
                        y - 4, StyleOf(line.gpu));
    text += fmt::format("<text x=\"{}\" y=\"{}\">GPU {}</text>\n", x + 16, y, line.gpu);
  }
  return text;
}

}  // namespace

std::string PlotAsText(const GpuPlot& plot, int width) {
  if (plot.samples.empty()) return "";
  width = std::max(width, kLeastWidth);
  const std::int64_t begin = plot.samples.front().time, end = plot.samples.back().time;
  const Measure measures[] = {Utilization(plot), Memory(plot)};
  std::string text;
  for (std::size_t i = 0; i < measures[0].lines.size(); ++i) {
    for (const Measure& measure : measures) {
      text += fmt::format("\n{}, GPU {}: {}\n", plot.title, measure.lines[i].gpu, measure.name);
      text += ChartOf(measure, measure.lines[i], begin, end, width);
    }
    const std::string took = FormatDuration(std::chrono::milliseconds(end - begin));
    text += fmt::format("{:>{}}└0 s{:>{}}\n", "", kMargin - 1, took, width - kMargin - 3);
  }
  return text;
}

std::string PlotsAsSvg(const std::vector<GpuPlot>& plots) {
  constexpr int kHeight = kTop + kPanelHeight + kBottom;
  std::string text;
  int top = kTop;
  std::size_t columns = 1;
  for (const GpuPlot& plot : plots) {
    if (plot.samples.empty()) continue;
    const std::int64_t begin = plot.samples.front().time, end = plot.samples.back().time;
    for (const Measure& measure : {Utilization(plot), Memory(plot)}) {
      text += Panel(measure, plot.title, begin, end, top);
      columns = std::max(columns, LegendColumns(measure.lines.size()));
      top += kHeight;
    }
  }
  const int width = kLeft + kPanelWidth + kLegendGap + static_cast<int>(columns) * kLegendColumn;
  const int height = top - kTop;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
             "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
             width, std::max(height, kHeight)) +
         text + "</svg>\n";
}

}  // namespace cosmos
