#pragma once

#include <cosmos/task.hpp>
#include <string_view>

namespace cosmos::plugins {

// Reads a job's log as it grows and reports how far the job is. Lives as long as the job, on one thread.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // The next piece of the log, which may split lines and characters.
  virtual void Read(sdk::Task& task, std::string_view bytes) = 0;
};

}  // namespace cosmos::plugins
