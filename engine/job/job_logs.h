#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/run_context.h"
#include "job/job_log.h"

namespace cosmos {

// The logs of the jobs that a run's engine waits for at the moment, by the name STAGE[.INSTANCE]/ATTEMPT under which
// hooks ask for them. Thread-safe.
class JobLogs {
 public:
  static std::string NameOf(const RunContext& context) { return context.key() + "/" + std::to_string(context.attempt); }

  void Add(const std::string& name, std::shared_ptr<JobLog> log) {
    const std::lock_guard lock(mutex_);
    logs_[name] = std::move(log);
  }
  void Remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    logs_.erase(name);
  }
  // nullptr when there is no such job, or not any more.
  std::shared_ptr<JobLog> Find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto log = logs_.find(name);
    return log == logs_.end() ? nullptr : log->second;
  }

 private:
  mutable std::mutex mutex_;  // guards logs_
  std::map<std::string, std::shared_ptr<JobLog>> logs_;
};

}  // namespace cosmos
