#include "common/duration_progress.h"

#include <algorithm>
#include <utility>

#include "common/phase_timings.h"

namespace cosmos::plugins {
namespace {

constexpr const char* kWhole = "running";  // as a phase of PhaseTimings
constexpr double kMostByTime = 0.99;       // the rest is for its end

}  // namespace

DurationProgress::DurationProgress(std::string phase, sdk::Json key, Clock clock)
    : phase_(std::move(phase)), key_(std::move(key)), clock_(std::move(clock)) {}

void DurationProgress::Begin(const sdk::Context& context) { resumed_ = context.resumed; }

void DurationProgress::Heard(sdk::Task& task) {
  if (started_) return;
  started_ = clock_();
  const auto timings = PhaseTimings::Expected(task.FindTimings(key_));
  if (timings && timings->Of(kWhole) > 0) expected_ = timings->Of(kWhole);
}

void DurationProgress::Succeed(sdk::Task& task) {
  if (!started_) return;
  PhaseTimings timings;
  timings.phases[kWhole] = Elapsed();
  task.KeepTimings(key_, timings.ToJson());
}

void DurationProgress::Report(sdk::Task& task, double done, double total) const {
  if (!expected_ || total <= 0) return task.Progress(done, total, phase_);
  const double fraction = std::clamp(done / total, 0.0, 1.0);
  if (resumed_) return task.Progress(done, total, phase_, (1 - fraction) * *expected_);
  // The further the job is, the more counts how it is doing itself.
  const double by_earlier = std::max(*expected_ - Elapsed(), 0.0);
  const double by_itself = fraction > 0 ? Elapsed() * (1 - fraction) / fraction : 0;
  task.Progress(done, total, phase_, fraction * by_itself + (1 - fraction) * by_earlier);
}

void DurationProgress::Read(sdk::Task& task, std::string_view) {
  Heard(task);
  if (!expected_ || resumed_) return;
  const double fraction = std::min(Elapsed() / *expected_, kMostByTime);
  // One that takes longer than the earlier ones did may take any time.
  const double left = Elapsed() < *expected_ ? *expected_ - Elapsed() : -1;
  task.Progress(100 * fraction, 100, phase_, left);
}

double DurationProgress::Elapsed() const { return std::chrono::duration<double>(clock_() - *started_).count(); }

}  // namespace cosmos::plugins
