#pragma once

#include <chrono>
#include <cosmos/task.hpp>
#include <functional>
#include <optional>
#include <string>

namespace cosmos::plugins {

// How long a job takes as a whole, after earlier ones with the same key: what is left of it and, of a job that does not
// say so itself, how far it is. For jobs of one phase; see ModelProgress for those of several. Lives as long as the
// job, on one thread.
class JobDuration {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;

  // `key`: see HistoryKey.
  explicit JobDuration(sdk::Json key, Clock clock = &std::chrono::steady_clock::now);

  // As LogReader has them: before all else, and when the job has ended well.
  void Begin(const sdk::Context& context);
  void Succeed(sdk::Task& task);
  // The job has said something, so it runs.
  void Heard(sdk::Task& task);
  // Reports that so much is done. Without earlier jobs, what is left is the host's to guess.
  void Report(sdk::Task& task, double done, double total, const std::string& phase) const;
  // Reports how far a job is that says nothing of it; nothing without earlier jobs.
  void ReportTime(sdk::Task& task, const std::string& phase) const;

 private:
  double Elapsed() const;  // seconds

  const sdk::Json key_;
  const Clock clock_;
  bool resumed_ = false;  // then it began at an unknown time
  std::optional<Time> started_;
  std::optional<double> expected_;  // seconds
};

}  // namespace cosmos::plugins
