#include "cli/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/json_values.h"

namespace cosmos {

std::string ProgressBar(double fraction) {
  constexpr int kWidth = 24;
  fraction = std::clamp(fraction, 0.0, 1.0);
  const int full = static_cast<int>(std::lround(fraction * kWidth));
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
  return bar + fmt::format(" {:>5}", Percent(fraction));
}

std::string Percent(double fraction) { return fmt::format("{:.0f} %", std::clamp(fraction, 0.0, 1.0) * 100); }

std::string TimeLeft(double seconds) {
  if (std::lround(seconds) < 60) return fmt::format("about {} s left", std::lround(seconds));
  const long minutes = std::lround(seconds / 60);
  if (minutes < 60) return fmt::format("about {} min left", minutes);
  return fmt::format("about {} h {:02} min left", minutes / 60, minutes % 60);
}

std::string ProgressText(const nlohmann::json& progress, bool at_work) {
  if (!progress.is_object()) return "";
  std::string text = TextIn(progress, "phase");
  const nlohmann::json done = progress.value("done", nlohmann::json()),
                       total = progress.value("total", nlohmann::json());
  if (done.is_number() && total.is_number()) {
    text += fmt::format("{}{}", text.empty() ? "" : "  ", Percent(done.get<double>() / total.get<double>()));
  }
  const nlohmann::json eta = progress.value("eta", nlohmann::json());
  if (at_work && eta.is_number() && eta >= 1) text += "  " + TimeLeft(eta);
  return text;
}

}  // namespace cosmos
