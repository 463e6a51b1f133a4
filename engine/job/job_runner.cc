#include "job/job_runner.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;

constexpr auto kLogInterval = milliseconds(100);
constexpr auto kLongestWait = std::chrono::hours(1);
constexpr int kHighestSignal = 64;

JobRecord RecordOf(const JobRequest& request, const JobHandle& handle) {
  JobRecord record;
  record.run_id = request.context.run_id;
  record.stage = request.context.stage;
  record.instance = request.context.instance;
  record.attempt = request.context.attempt;
  record.target = request.target_name;
  record.folder = handle.folder;
  record.pid = handle.pid;
  record.pid_start_time = handle.pid_start_time;
  record.boot_id = handle.boot_id;
  record.container = handle.container;
  record.status = "running";
  return record;
}

// An earlier engine submitted the job, and told the store unless it died just then.
void KeepSubmissionTime(RunStore& store, JobRecord* record) {
  for (const JobRecord& job : store.JobsOf(record->run_id)) {
    if (job.folder == record->folder && job.target == record->target) record->submitted_at = job.submitted_at;
  }
}

// A shell reports a command that a signal ended as 128 + its number.
Failure FailureOf(const JobState& state, const std::filesystem::path& log) {
  const std::string see = "; see its log " + log.string();
  if (state.gone == FailureKind::kHostRebooted) {
    return {state.gone, "the machine was restarted while the job ran" + see};
  }
  if (state.gone != FailureKind::kNone) {
    return {state.gone, "the job was killed from outside and left no exit status" + see};
  }
  if (state.exit_status == 0) return {};
  const int signal = state.exit_status - 128;
  if (signal >= 1 && signal <= kHighestSignal) {
    const char* name = ::sigabbrev_np(signal);
    return {FailureKind::kKilled,
            fmt::format("the job was killed by signal {} (SIG{}){}", signal, name != nullptr ? name : "?", see)};
  }
  return {FailureKind::kExitCode, fmt::format("the job exited with status {}{}", state.exit_status, see)};
}

}  // namespace

JobRunner::JobRunner(StoreWriter* store, EventBus* bus, Logger* logger, const Masker* masker, Clock* clock)
    : store_(store), bus_(bus), logger_(logger), masker_(masker), clock_(clock) {}

JobOutcome JobRunner::Run(const JobRequest& request, const CancelToken& cancel, const LogPump::Listener& on_output) {
  const OutputCollector collector(request.outputs, request.folder, request.local_folder);
  JobRecord record;
  const JobHandle handle = Start(request, collector, &record);
  LogPump log(request.target, handle, request.log_path, masker_, on_output);
  bus_->Publish(request.context, LogAvailable{request.log_path, 0});
  JobOutcome outcome;
  outcome.failure = Await(request, handle, record, &log, cancel);
  bus_->Publish(request.context, LogAvailable{request.log_path, log.Finish()});
  if (outcome.failure) return outcome;
  Collection collection = collector.Collect(request.target, cancel);
  outcome.failure = std::move(collection.failure);
  outcome.outputs = std::move(collection.outputs);
  return outcome;
}

JobHandle JobRunner::Start(const JobRequest& request, const OutputCollector& collector, JobRecord* record) {
  if (!request.target->Find(request.folder)) collector.RemoveOld();
  const JobScript script = MakeJobScript(request.context, request.folder, request.command, *masker_);
  const auto [handle, attached] = request.target->Submit({request.folder, script.text, script.environment});
  *record = RecordOf(request, handle);
  record->submitted_at = UnixMilliseconds(clock_->Wall());
  store_->WriteAndWait([&, attached = attached](RunStore& store) {
    if (attached) KeepSubmissionTime(store, record);
    store.PutJob(record);
    if (request.also) request.also(store);
  });
  if (attached) {
    bus_->Publish(request.context, JobAttached{request.target_name, handle.folder, handle.pid});
  } else {
    bus_->Publish(request.context, JobSubmitted{request.target_name, handle.folder, handle.pid});
  }
  return handle;
}

Failure JobRunner::Await(const JobRequest& request, const JobHandle& handle, JobRecord record, LogPump* log,
                         const CancelToken& cancel) {
  Failure ended_by_us;
  JobState state;
  for (;;) {
    Duration longest = log->needed() ? Duration(kLogInterval) : Duration(kLongestWait);
    if (request.deadline) longest = std::min(longest, Duration(*request.deadline - clock_->Wall()));
    state = request.target->Wait(handle, cancel, longest);
    if (state.phase == JobState::Phase::kEnded) break;
    if (cancel.abandoned()) {
      throw Error(ErrorCode::kUnavailable, "the engine gave up; the job goes on", "`cosmos-engine resume` finds it");
    }
    log->Pump();
    if (cancel.cancelled()) ended_by_us = {FailureKind::kCancelled, "cancelled"};
    if (!ended_by_us && request.deadline && clock_->Wall() >= *request.deadline) {
      ended_by_us = {FailureKind::kTimeout, "the stage's time was over and its job was ended"};
    }
    if (ended_by_us) break;
  }
  // Also after a good end: nothing that the job started stays behind.
  if (!End(request, handle) && ended_by_us) ended_by_us.message += ", but not all of its processes could be ended";
  if (ended_by_us) state = request.target->Poll(handle);
  const Failure failure = ended_by_us ? ended_by_us : FailureOf(state, request.log_path);
  record.status = "ended";
  record.exit_status = state.exit_status;
  record.ended_at = UnixMilliseconds(clock_->Wall());
  store_->Write([record](RunStore& store) mutable { store.PutJob(&record); });
  bus_->Publish(request.context, JobEnded{state.exit_status, failure.kind});
  return failure;
}

bool JobRunner::End(const JobRequest& request, const JobHandle& handle) {
  if (request.target->Cancel(handle, request.grace)) return true;
  logger_->Log(LogLevel::kWarning, request.context,
               fmt::format("processes of the job in {} could not be ended (session {})", handle.folder, handle.pid));
  return false;
}

}  // namespace cosmos
