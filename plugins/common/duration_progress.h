#pragma once

#include <chrono>
#include <cosmos/task.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/log_reader.h"

namespace cosmos::plugins {

// Reports how far a job is by how long earlier ones with the same key took as a whole; nothing without earlier jobs.
// For a job that says nothing of it itself, and the base of readers of those that do; see ModelProgress for jobs of
// several phases. Lives as long as the job, on one thread.
class DurationProgress : public LogReader {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;

  // `phase` names what is being done; `key`: see HistoryKey.
  DurationProgress(std::string phase, sdk::Json key, Clock clock = &std::chrono::steady_clock::now);

  void Begin(const sdk::Context& context) final;
  void Read(sdk::Task& task, std::string_view bytes) override;
  // Keeps how long it took.
  void Succeed(sdk::Task& task) final;

 protected:
  // The job has said something, so it runs.
  void Heard(sdk::Task& task);
  // Reports that so much is done. Without earlier jobs, what is left is the host's to guess.
  void Report(sdk::Task& task, double done, double total) const;

 private:
  double Elapsed() const;  // seconds

  const std::string phase_;
  const sdk::Json key_;
  const Clock clock_;
  bool resumed_ = false;  // then it began at an unknown time
  std::optional<Time> started_;
  std::optional<double> expected_;  // seconds
};

}  // namespace cosmos::plugins
