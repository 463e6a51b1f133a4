#include "common/progress_bar.h"

#include <charconv>

namespace cosmos::plugins {
namespace {

bool TakeNumber(std::string_view& text, long& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == ':')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool TakeCount(std::string_view& text, long& n, long& m) {
  if (!TakeNumber(text, n) || text.empty() || text.front() != '/') return false;
  text.remove_prefix(1);
  return TakeNumber(text, m) && m > 0 && n <= m;
}

std::optional<ProgressBar> ParseProgressBar(std::string_view line) {
  const std::size_t percent = line.find("%|");
  if (percent == line.npos) return std::nullopt;
  const std::size_t bar_end = line.find("| ", percent + 2);
  if (bar_end == line.npos) return std::nullopt;
  ProgressBar bar;
  std::string_view rest = line.substr(bar_end + 2);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (!TakeCount(rest, bar.done, bar.total) || rest.substr(0, 2) != " [") return std::nullopt;
  std::string_view label = line.substr(0, percent);
  while (!label.empty() && label.back() >= '0' && label.back() <= '9') label.remove_suffix(1);
  bar.label = Trimmed(label);
  return bar;
}

}  // namespace cosmos::plugins
