#include "log_streamer/stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

namespace cosmos::plugins {
namespace {

using sdk::JobLog;
using sdk::LogState;
using std::chrono::milliseconds;

constexpr std::size_t kMostAtOnce = std::size_t{256} * 1024;

std::string GivenUp(const JobLog& log, const char* why) {
  return "the log of " + log.job() + " is not streamed any more: " + why +
         "; the engine brings the rest, at the latest when the job has ended";
}

// Brings what the target has now. kOpen, or kClosed.
LogState Poll(const JobLog& log) {
  while (const auto position = log.Position()) {
    const JobLog::Piece piece = log.Read(*position, kMostAtOnce);
    if (piece.state == LogState::kClosed) break;
    if (!piece.bytes.empty()) log.Append(*position, piece.bytes);
    if (piece.bytes.size() < kMostAtOnce) return LogState::kOpen;
  }
  return LogState::kClosed;
}

void PollUntilClosed(const JobLog& log, const StreamOptions& options,
                     const std::function<void(const std::string&)>& warn) {
  const auto start = std::chrono::steady_clock::now();
  while (Poll(log) == LogState::kOpen) {
    const auto rest = std::chrono::ceil<milliseconds>(start + options.time_limit - std::chrono::steady_clock::now());
    if (rest <= milliseconds::zero()) {
      warn(GivenUp(log, "it was polled for as long as time_limit allows"));
      return;
    }
    if (log.Wait(std::min(options.poll_interval, rest))) return;
  }
}

void FollowUntilClosed(const JobLog& log, const StreamOptions& options) {
  while (const auto position = log.Position()) {
    bool came = false;
    LogState state = log.Follow(*position, [&](std::int64_t at, std::string_view bytes) {
      came = true;
      log.Append(at, bytes);
    });
    if (state == LogState::kBusy) state = Poll(log);
    if (state == LogState::kClosed) return;
    // A connection that broke after it brought something is worth another try at once; one that brought nothing is not,
    // or this would be a loop without a rest.
    if (!came && log.Wait(options.poll_interval)) return;
  }
}

}  // namespace

void Stream(const JobLog& log, const StreamOptions& options,
            const std::function<void(const std::string& sentence)>& warn) {
  try {
    const bool follow = options.mode == StreamOptions::Mode::kFollow;
    if (follow) {
      FollowUntilClosed(log, options);
    } else {
      PollUntilClosed(log, options, warn);
    }
  } catch (const std::exception& e) {
    warn(GivenUp(log, e.what()));
  }
}

}  // namespace cosmos::plugins
