#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "target/target.h"

namespace cosmos {

// Short commands on targets that may be in trouble: each gets an answer or an error within its time, whatever the host
// does, and a host that cannot be reached is given up for good. Each target has a connection of its own, so that what
// goes on over another one is not disturbed; it asks nobody for a passphrase. Thread-safe.
class TargetProbes {
 public:
  // `configs` by name, as the workflow's schema shapes them; they must outlive the probes. Contacts nothing.
  explicit TargetProbes(const std::map<std::string, nlohmann::json>* configs);
  // Gives up what has not answered.
  ~TargetProbes();
  TargetProbes(const TargetProbes&) = delete;
  TargetProbes& operator=(const TargetProbes&) = delete;

  // As Target::Run, on a thread of its own that is waited for as long as `longest`, and a little more for what was
  // printed until then. Throws Error: kNotFound when there is no such target, kInvalidInput when it refuses the engine,
  // kConnectionLost when it is not reached within the time or gives no answer, or `cancel` is cancelled.
  TargetOutput Run(const std::string& target, const std::string& script, Duration longest, const CancelToken& cancel);

 private:
  struct Probe;   // one target
  struct Answer;  // to one question
  struct Asking;

  std::shared_ptr<Probe> ProbeOf(const std::string& target);

  const std::map<std::string, nlohmann::json>& configs_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::shared_ptr<Probe>> probes_;
  std::vector<Asking> asking_;
};

}  // namespace cosmos
