#pragma once

#include <cosmos/task.hpp>
#include <string_view>

namespace cosmos::plugins {

// Reads a job's log as it grows and reports how far the job is. Lives as long as the job, on one thread.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Before all else: who runs the job.
  virtual void Begin(const sdk::Context& context) { static_cast<void>(context); }

  // The next piece of the log, which may split lines and characters.
  virtual void Read(sdk::Task& task, std::string_view bytes) = 0;
  // The job has ended well.
  virtual void Succeed(sdk::Task& task) { static_cast<void>(task); }
};

}  // namespace cosmos::plugins
