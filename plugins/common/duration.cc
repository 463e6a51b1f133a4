#include "common/duration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace cosmos::plugins {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 5> kUnits = {{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr double kLongestSeconds = 86400.0 * 365 * 100;

// The seconds that `text` says.
std::optional<double> Seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool sum = text.find_first_not_of("0123456789.") != std::string_view::npos;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::string_view name = text.substr(0, text.find_first_of("0123456789."));
    if (name.empty() && !sum) return number;
    const auto* const unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) { return candidate.name == name; });
    if (unit == kUnits.end()) return std::nullopt;
    total += number * unit->seconds;
    text.remove_prefix(name.size());
  }
  return total;
}

}  // namespace

std::chrono::milliseconds ParseDuration(const sdk::Json& value) {
  std::optional<double> seconds;
  if (value.is_number()) seconds = value.get<double>();
  if (value.is_string()) seconds = Seconds(value.get_ref<const std::string&>());
  if (!seconds || !(*seconds >= 0) || *seconds > kLongestSeconds) {
    throw std::invalid_argument(sdk::Dump(value) +
                                " is not a duration; write a number with ms, s, m, h or d, such as 30s, 2h or 1h30m");
  }
  return std::chrono::milliseconds(std::llround(std::ceil(*seconds * 1000)));
}

std::chrono::milliseconds DurationIn(const sdk::Json& parameters, const std::string& key, const std::string& owner,
                                     const std::string& example, std::chrono::milliseconds least) {
  try {
    const std::chrono::milliseconds duration = ParseDuration(parameters.at(key));
    if (duration >= least) return duration;
    const std::string wrong = least.count() == 1 ? "found 0, expected more"
                                                 : "found " + std::to_string(duration.count()) + "ms, expected " +
                                                       std::to_string(least.count()) + "ms or more";
    throw std::invalid_argument(wrong + "; write a duration such as " + example);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument("'" + key + "' of " + owner + ": " + e.what());
  }
}

}  // namespace cosmos::plugins
