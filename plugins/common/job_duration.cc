#include "common/job_duration.h"

#include <algorithm>
#include <utility>

#include "common/phase_timings.h"

namespace cosmos::plugins {
namespace {

constexpr const char* kPhase = "running";
constexpr double kMostByTime = 0.99;  // the rest is for its end

}  // namespace

JobDuration::JobDuration(sdk::Json key, Clock clock) : key_(std::move(key)), clock_(std::move(clock)) {}

void JobDuration::Begin(const sdk::Context& context) { resumed_ = context.resumed; }

void JobDuration::Heard(sdk::Task& task) {
  if (started_) return;
  started_ = clock_();
  const auto timings = PhaseTimings::Expected(task.FindTimings(key_));
  if (timings && timings->Of(kPhase) > 0) expected_ = timings->Of(kPhase);
}

void JobDuration::Succeed(sdk::Task& task) {
  if (!started_) return;
  PhaseTimings timings;
  timings.phases[kPhase] = Elapsed();
  task.KeepTimings(key_, timings.ToJson());
}

void JobDuration::Report(sdk::Task& task, double done, double total, const std::string& phase) const {
  if (!expected_ || total <= 0) return task.Progress(done, total, phase);
  const double fraction = std::clamp(done / total, 0.0, 1.0);
  if (resumed_) return task.Progress(done, total, phase, (1 - fraction) * *expected_);
  // The further the job is, the more counts how it is doing itself.
  const double by_earlier = std::max(*expected_ - Elapsed(), 0.0);
  const double by_itself = fraction > 0 ? Elapsed() * (1 - fraction) / fraction : 0;
  task.Progress(done, total, phase, fraction * by_itself + (1 - fraction) * by_earlier);
}

void JobDuration::ReportTime(sdk::Task& task, const std::string& phase) const {
  if (!expected_ || resumed_) return;
  const double fraction = std::min(Elapsed() / *expected_, kMostByTime);
  // One that takes longer than the earlier ones did may take any time.
  const double left = Elapsed() < *expected_ ? *expected_ - Elapsed() : -1;
  task.Progress(100 * fraction, 100, phase, left);
}

double JobDuration::Elapsed() const { return std::chrono::duration<double>(clock_() - *started_).count(); }

}  // namespace cosmos::plugins
