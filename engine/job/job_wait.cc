#include "job/job_wait.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"

namespace cosmos {
namespace {

constexpr auto kTroubleLimit = std::chrono::minutes(10);
constexpr auto kFirstPause = std::chrono::seconds(1);
constexpr auto kMaxPause = std::chrono::seconds(30);

// What is left for the job itself of the attempt's time.
std::optional<Duration> LimitOf(const JobRequest& request, bool attached, SteadyTime now) {
  if (!request.timeout || attached) return request.timeout;
  return std::max<Duration>(*request.timeout - (now - request.begun), Duration(0));
}

}  // namespace

JobWait::JobWait(const JobRequest* request, const JobHandle* handle, JobLog* log, bool attached, Clock* clock,
                 Warner warn)
    : request_(*request),
      handle_(*handle),
      log_(*log),
      clock_(*clock),
      warn_(std::move(warn)),
      time_(LimitOf(*request, attached, clock->Steady()), clock->Steady(), attached),
      stall_(request->stall_timeout, clock->Steady(), [this] { return request_.target->ReadLog(handle_, 0, 1).size; }),
      next_pump_(clock->Steady()) {}

Failure JobWait::Await(const CancelToken& cancel, JobState* state) {
  Failure failure;
  for (;;) {
    try {
      if (Look(cancel, state, &failure)) return failure;
      trouble_since_ = SteadyTime();
    } catch (const Error& error) {
      if (!Endure(error, cancel)) throw;
    }
  }
}

// A host may have no room for a process just now.
bool JobWait::Endure(const Error& error, const CancelToken& cancel) {
  if (error.code() != ErrorCode::kUnavailable || cancel.cancelled()) return false;
  const SteadyTime now = clock_.Steady();
  if (trouble_since_ == SteadyTime()) {
    trouble_since_ = now;
    pause_ = kFirstPause;
    warn_(std::string("the job is looked at again later: ") + error.what());
  }
  if (now - trouble_since_ > kTroubleLimit) return false;
  cancel.WaitFor(pause_);
  pause_ = std::min<Duration>(pause_ * 2, kMaxPause);
  return true;
}

bool JobWait::Look(const CancelToken& cancel, JobState* state, Failure* failure) {
  const std::optional<Duration> interval = log_.PumpInterval();
  SteadyTime now = clock_.Steady();
  Duration wait = std::min(time_.UntilLook(now), stall_.UntilNextLook(now));
  if (interval) wait = std::min(wait, *interval);
  *state = request_.target->Wait(handle_, cancel, wait);
  if (HasEnded(state)) return true;
  if (cancel.abandoned()) {
    throw Error(ErrorCode::kConnectionLost, "the engine gave up; the job goes on", "`cosmos-engine resume` finds it");
  }
  if (interval && clock_.Steady() >= next_pump_) {
    log_.Pump();
    next_pump_ = clock_.Steady() + *interval;
  }
  now = clock_.Steady();
  const bool stalled = stall_.Stalled(now);
  if (!cancel.cancelled() && !stalled && !time_.IsToLook(now)) return false;
  // Whatever is held against the job, it is looked at first: it may have ended, well and in time, long ago.
  *state = request_.target->Poll(handle_);
  if (HasEnded(state)) return true;
  if (cancel.cancelled()) {
    *failure = {FailureKind::kCancelled, "cancelled"};
  } else if (time_.IsOver(*state, now)) {
    *failure = {FailureKind::kTimeout, "timed out after " + FormatDuration(*request_.timeout) + "; its job was ended"};
  } else if (stalled) {
    *failure = {FailureKind::kStalled,
                "the job wrote nothing to its log for " + FormatDuration(*request_.stall_timeout) +
                    " and was ended; what it did then stands in " + request_.diagnostics.string()};
  }
  return static_cast<bool>(*failure);
}

}  // namespace cosmos
