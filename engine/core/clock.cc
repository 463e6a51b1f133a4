#include "core/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "core/error.h"

namespace cosmos {
namespace {

// What a count of nanoseconds in 64 bits can stand for.
constexpr int kMinYear = 1700, kMaxYear = 2261;
constexpr std::int64_t kMaxMilliseconds = 9'000'000'000'000;

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr Unit kUnits[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
constexpr double kLongestSeconds = 86400.0 * 365 * 100;

[[noreturn]] void BadDuration(std::string_view text) {
  throw Error(ErrorCode::kInvalidInput, "'" + std::string(text) + "' is not a duration",
              "write a number with ms, s, m, h or d, such as 30s, 2h or 1h30m");
}

}  // namespace

std::string FormatTime(WallTime time) {
  const std::int64_t ms = UnixMilliseconds(time);
  std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  int rest = static_cast<int>(ms % 1000);
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
}

std::int64_t UnixMilliseconds(WallTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

WallTime FromUnixMilliseconds(std::int64_t count) {
  return WallTime(milliseconds(std::clamp(count, -kMaxMilliseconds, kMaxMilliseconds)));
}

WallTime ParseTime(std::string_view text) {
  std::tm utc{};
  int ms = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour,
                  &utc.tm_min, &utc.tm_sec, &ms) != 7 ||
      utc.tm_year < kMinYear || utc.tm_year > kMaxYear) {
    throw Error(ErrorCode::kInvalidInput, "'" + copy + "' is not a time", "expected the form 2026-11-23T13:46:42.017Z");
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return WallTime(std::chrono::seconds(::timegm(&utc)) + milliseconds(ms));
}

std::int64_t EndedAt(Clock* clock, std::int64_t started_at, SteadyTime begun) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock->Steady() - begun);
  return std::max(UnixMilliseconds(clock->Wall()), started_at + took.count());
}

Duration ParseDuration(std::string_view text) {
  double total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) BadDuration(text);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const std::string_view unit = rest.substr(0, rest.find_first_of("0123456789."));
    if (unit.empty()) {
      if (!rest.empty() || total > 0) BadDuration(text);
      total = number;  // a bare number: seconds
      break;
    }
    bool known = false;
    for (const Unit& candidate : kUnits) {
      if (candidate.name != unit) continue;
      total += number * candidate.seconds;
      known = true;
    }
    if (!known) BadDuration(text);
    rest.remove_prefix(unit.size());
  }
  if (text.empty() || total > kLongestSeconds) BadDuration(text);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(total));
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string FormatDuration(Duration duration) {
  const double seconds = std::max(0.0, Seconds(duration));
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const long whole = std::lround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace cosmos
