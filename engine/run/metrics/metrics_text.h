#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cosmos {

// Figures in the text format that Prometheus reads (version 0.0.4). The caller sees to it that names are lower case
// words with underscores, that a family is begun once, and that no two samples of one have the same labels. For one
// thread.
class MetricsText {
 public:
  enum class Type { kCounter, kGauge, kHistogram };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // Begins a family; the samples that follow are its own. One without samples is left out. A counter's name ends with
  // `_total`.
  void Begin(std::string_view name, Type type, std::string_view help);
  void Add(const Labels& labels, double value) { AddLine("", labels, value); }
  // One histogram: `counts` of what was at most each of `bounds`, and of the rest as one more; `sum` of all of it.
  void AddHistogram(const Labels& labels, std::span<const int> bounds, const std::vector<std::int64_t>& counts,
                    double sum);

  const std::string& text() const { return text_; }

 private:
  void AddLine(std::string_view suffix, const Labels& labels, double value);

  std::string name_;
  std::string head_;  // of a family that has no sample yet
  std::string text_;
};

}  // namespace cosmos
