#include "run/metrics/metrics_text.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kLongestLabel = 200;  // characters

std::string Escaped(std::string_view text, bool quotes) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void MetricsText::Begin(std::string_view name, Type type, std::string_view help) {
  constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  name_ = name;
  head_ = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, Escaped(help, false), kTypes[static_cast<int>(type)]);
}

void MetricsText::AddHistogram(const Labels& labels, std::span<const int> bounds,
                               const std::vector<std::int64_t>& counts, double sum) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  std::int64_t so_far = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    so_far += counts[i];
    with_bound.back().second = std::to_string(bounds[i]);
    AddLine("_bucket", with_bound, static_cast<double>(so_far));
  }
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  with_bound.back().second = "+Inf";
  AddLine("_bucket", with_bound, all);
  AddLine("_sum", labels, sum);
  AddLine("_count", labels, all);
}

void MetricsText::AddLine(std::string_view suffix, const Labels& labels, double value) {
  text_ += std::exchange(head_, "") + name_;
  text_ += suffix;
  std::string list;
  for (const auto& [name, text] : labels) {
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", name, Escaped(TruncateUtf8(text, kLongestLabel), true));
  }
  if (!list.empty()) text_ += "{" + list + "}";
  text_ += " " + Number(value) + "\n";
}

}  // namespace cosmos
