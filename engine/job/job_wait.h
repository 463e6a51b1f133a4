#pragma once

#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "job/job_log.h"
#include "job/job_request.h"
#include "job/job_time.h"
#include "job/stall_watch.h"
#include "target/target.h"

namespace cosmos {

// Waits for one job that runs: passes its log on, and finds out whether it is to be ended. For one thread, once.
class JobWait {
 public:
  // Told a sentence for the engine's log.
  using Warner = std::function<void(const std::string& text)>;

  // All of it must outlive the wait. `attached`: the job may have run for any time already.
  JobWait(const JobRequest* request, const JobHandle* handle, JobLog* log, bool attached, Clock* clock, Warner warn);

  // Returns once the job has ended, with its end in `state`, or why it is to be ended: cancelled, timeout, stalled.
  // What goes wrong on its host is waited out for a while. Throws Error{kConnectionLost} when `cancel` is abandoned,
  // and what the target and the log throw otherwise.
  Failure Await(const CancelToken& cancel, JobState* state);

 private:
  // True when Await is to return.
  bool Look(const CancelToken& cancel, JobState* state, Failure* failure);
  bool HasEnded(JobState* state) const { return state->phase == JobState::Phase::kEnded; }
  // Whether to look again, after a pause.
  bool Endure(const Error& error, const CancelToken& cancel);

  const JobRequest& request_;
  const JobHandle& handle_;
  JobLog& log_;
  Clock& clock_;
  const Warner warn_;
  JobTime time_;
  StallWatch stall_;
  SteadyTime next_pump_;
  SteadyTime trouble_since_{};
  Duration pause_{};
};

}  // namespace cosmos
