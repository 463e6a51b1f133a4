#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cosmos {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

// The seam to time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Wall() = 0;
  virtual SteadyTime Steady() = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime Wall() override { return std::chrono::system_clock::now(); }
  SteadyTime Steady() override { return std::chrono::steady_clock::now(); }
};

// RFC 3339 in UTC with milliseconds, such as 2026-11-23T13:46:42.017Z.
std::string FormatTime(WallTime time);
// The inverse. Throws Error{kInvalidInput}.
WallTime ParseTime(std::string_view text);

// Milliseconds since the Unix epoch, as records keep times.
std::int64_t UnixMilliseconds(WallTime time);
WallTime FromUnixMilliseconds(std::int64_t milliseconds);

// The end of what began at `started_at` (milliseconds) and has been at work since `begun` on the clock that nobody
// sets: now, or later when the wall clock was set back meanwhile.
std::int64_t EndedAt(Clock* clock, std::int64_t started_at, SteadyTime begun);

// `500ms`, `30s`, `5m`, `2h`, `1d`, a sum such as `1h30m`, or a bare number of seconds. Throws Error{kInvalidInput}.
Duration ParseDuration(std::string_view text);
// For people: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
std::string FormatDuration(Duration duration);
double Seconds(Duration duration);

}  // namespace cosmos
