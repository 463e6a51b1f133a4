#pragma once

#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"

namespace cosmos {

struct CommandResult {
  int exit_status = -1;    // 128 + signal when killed; 127 when there is no such program
  std::string output;      // stdout and stderr, at most 1 MiB
  std::string errors;      // stderr alone, where it is kept apart; the same
  bool timed_out = false;  // it was killed, after `longest` or on cancellation
};

enum class Stderr { kWithOutput, kApart };

// Runs a short command of this machine and waits for it; no shell, nothing on stdin. Any thread. Throws
// Error{kUnavailable} when the system can start no process.
CommandResult RunCommand(const std::vector<std::string>& argv, Duration longest, const CancelToken& cancel,
                         Stderr errors = Stderr::kWithOutput);

}  // namespace cosmos
