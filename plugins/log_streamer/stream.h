#pragma once

#include <chrono>
#include <cosmos/job_log.hpp>
#include <functional>
#include <string>

namespace cosmos::plugins {

// How a job's log is brought. A value.
struct StreamOptions {
  enum class Mode {
    kFollow,  // as it is written, over one connection
    kPoll     // asked for again and again
  };

  Mode mode = Mode::kFollow;
  // Between two questions of a poll, and before a follow that could not be is tried again.
  std::chrono::milliseconds poll_interval{std::chrono::seconds(2)};
  // How long one log is polled.
  std::chrono::milliseconds time_limit{std::chrono::hours(1)};
};

// Brings the bytes of `log` to the local log, from its position on, and returns when the log is closed or cannot be
// brought any further. Why it cannot is told by `warn`, in one sentence that a person can act on, and is no harm: the
// engine brings the rest when the job has ended. Throws nothing but what `warn` throws. Runs on the calling thread, and
// blocks in the host's functions alone, which return when the log is closed.
void Stream(const sdk::JobLog& log, const StreamOptions& options,
            const std::function<void(const std::string& sentence)>& warn);

}  // namespace cosmos::plugins
