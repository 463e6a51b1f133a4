#include "job/job_runner.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/error.h"
#include "core/failure_patterns.h"
#include "core/files.h"
#include "core/text.h"
#include "job/container_engine.h"
#include "job/stall_watch.h"
#include "job/transfer_watch.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;

constexpr auto kLongestWait = std::chrono::hours(1);
constexpr auto kTellInterval = milliseconds(100);  // of a log that grows
constexpr auto kDiagnosisTime = std::chrono::seconds(10);
constexpr int kHighestSignal = 64;
// Commands of the diagnosis of a job that runs; without arguments, which may be anybody's secrets.
// What goes on at this moment: the job's own processes first, as a tree, then the machine's.
std::string WhatItDoes(const JobHandle& handle, const ContainerRecord* container) {
  constexpr const char* kColumns = "pid,ppid,sid,stat,wchan:24,pcpu,rss,etime";
  std::string script =
      fmt::format("; echo '# processes of the job'; ps --forest -o {},args -s {}", kColumns, handle.pid);
  if (container != nullptr) {
    script += fmt::format("; timeout 10 {} top {} -eo pid,ppid,stat,wchan:24,pcpu,rss,etime,args",
                          ContainerEngine{container->engine, container->sudo}.Words(), ShellQuote(container->name));
  }
  return script + fmt::format("; echo '# all processes'; ps -e -o {},comm; nvidia-smi 2>&1 || :", kColumns);
}

JobRecord RecordOf(const JobRequest& request, const JobHandle& handle) {
  JobRecord record;
  SetAttempt(request.context, &record);
  record.target = request.target_name;
  record.folder = handle.folder;
  record.pid = handle.pid;
  record.pid_start_time = handle.pid_start_time;
  record.boot_id = handle.boot_id;
  record.container = handle.container;
  record.status = "running";
  return record;
}

ContainerRecord ContainerOf(const JobRequest& request) {
  ContainerRecord record;
  SetAttempt(request.context, &record);
  record.target = request.target_name;
  record.engine = request.command.container->engine;
  record.sudo = request.command.container->sudo;
  record.name = ContainerNameOf(request.context);
  record.image = request.command.container->image;
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
Failure FailureOf(const JobState& state, const std::filesystem::path& log, const ContainerRecord* container) {
  const std::string see = "; see its log " + log.string();
  if (state.gone == FailureKind::kHostRebooted) {
    return {state.gone, "the machine was restarted while the job ran" + see};
  }
  if (state.gone != FailureKind::kNone) {
    return {state.gone, "the job was killed from outside and left no exit status" + see};
  }
  if (state.exit_status == 0) return {};
  if (container != nullptr && container->oom_killed) {
    return {FailureKind::kKilled, "the job's container was killed: the machine had no memory left for it" + see};
  }
  if (container != nullptr && state.exit_status == 125) {
    return {FailureKind::kExitCode,
            "the container of image '" + container->image + "' could not be started (status 125)" + see};
  }
  const int signal = state.exit_status - 128;
  if (signal >= 1 && signal <= kHighestSignal) {
    const char* name = ::sigabbrev_np(signal);
    return {FailureKind::kKilled,
            fmt::format("the job was killed by signal {} (SIG{}){}", signal, name != nullptr ? name : "?", see)};
  }
  return {FailureKind::kExitCode, fmt::format("the job exited with status {}{}", state.exit_status, see)};
}

// Hooks cannot get at a log any more once the job is not waited for.
class OpenedLog {
 public:
  OpenedLog(JobLogs* logs, std::string name, std::shared_ptr<JobLog> log)
      : logs_(logs), name_(std::move(name)), log_(std::move(log)) {
    logs_->Add(name_, log_);
  }
  ~OpenedLog() {
    log_->Close();
    logs_->Remove(name_);
  }
  OpenedLog(const OpenedLog&) = delete;
  OpenedLog& operator=(const OpenedLog&) = delete;

 private:
  JobLogs* const logs_;
  const std::string name_;
  const std::shared_ptr<JobLog> log_;
};

}  // namespace

JobRunner::JobRunner(StoreWriter* store, EventBus* bus, Logger* logger, const Masker* masker, Clock* clock)
    : store_(store), bus_(bus), logger_(logger), masker_(masker), clock_(clock) {}

JobOutcome JobRunner::Run(const JobRequest& request, const CancelToken& cancel, const JobLog::Listener& on_output) {
  const OutputCollector collector(request.outputs, request.folder, request.local_folder);
  Job job{request, {}, {}, std::nullopt, {}, nullptr};
  if (request.command.container) job.container = ContainerOf(request);
  bool attached = request.target->Find(request.folder).has_value();
  JobOutcome outcome;
  if (!attached && !BringInputs(request, cancel)) {
    outcome.failure = {FailureKind::kCancelled, "cancelled"};
    return outcome;
  }
  attached = Start(&job, collector, attached);
  OpenLog(&job, on_output);
  const OpenedLog opened(&logs_, JobLogs::NameOf(request.context), job.log);
  if (attached) {
    bus_->Publish(request.context, JobAttached{request.target_name, job.handle.folder, job.handle.pid});
  } else {
    bus_->Publish(request.context, JobSubmitted{request.target_name, job.handle.folder, job.handle.pid});
  }
  bus_->Publish(request.context, LogAvailable{request.log_path, 0, false});
  outcome.failure = Await(&job, cancel);
  bus_->Publish(request.context, LogAvailable{request.log_path, job.log->Finish(), false});
  if (!outcome.failure) {
    TransferWatch watch(bus_, clock_, request.context, {"download", request.target_name, request.outputs.size()});
    Collection collection = collector.Collect(request.target, cancel, watch.Around(request.on_progress));
    outcome.failure = std::move(collection.failure);
    outcome.outputs = std::move(collection.outputs);
  }
  if (outcome.failure) {
    outcome.failure = Explained(outcome.failure, ReadVerdict(ReadTail(request.log_path, kVerdictBytes)));
    KeepDiagnosis(job, "host", "");
  }
  if (job.container) Remove(&job);
  return outcome;
}

bool JobRunner::BringInputs(const JobRequest& request, const CancelToken& cancel) {
  if (request.inputs.empty()) return true;
  TransferWatch watch(bus_, clock_, request.context, {"upload", request.target_name, request.inputs.size()});
  request.target->Upload(request.inputs, request.context.run_id, cancel,
                         [listener = watch.Around(request.on_progress)](std::int64_t done, std::int64_t total) {
                           listener(static_cast<double>(done), static_cast<double>(total), "uploading");
                         });
  return !cancel.cancelled();
}

bool JobRunner::Start(Job* job, const OutputCollector& collector, bool attached) {
  const JobRequest& request = job->request;
  if (!attached) collector.RemoveOld();
  const JobScript script = MakeJobScript(request.context, request.folder, request.command, *masker_);
  const Submission submission =
      request.target->Submit({request.folder, script.text, script.environment, request.newest_log});
  attached = attached || submission.attached;
  job->handle = submission.handle;
  if (job->container) job->handle.container = job->container->name;
  job->record = RecordOf(request, job->handle);
  job->record.submitted_at = UnixMilliseconds(clock_->Wall());
  store_->WriteAndWait([&](RunStore& store) {
    if (attached) KeepSubmissionTime(store, &job->record);
    store.PutJob(&job->record);
    if (job->container) {
      for (ContainerRecord& known : store.ContainersOf(request.context.run_id)) {
        if (known.name == job->container->name) job->container = std::move(known);
      }
      store.PutContainer(&*job->container);
    }
    if (request.also) request.also(store);
  });
  return attached;
}

void JobRunner::OpenLog(Job* job, const JobLog::Listener& on_output) {
  const JobRequest& request = job->request;
  JobLog::Order order;
  order.target = request.target;
  order.handle = job->handle;
  order.local = request.log_path;
  order.max_bytes = request.max_log_bytes;
  order.masker = masker_;
  order.listener = on_output;
  order.on_grown = [this, context = request.context, path = request.log_path.string(),
                    last = std::make_shared<std::atomic<SteadyTime>>(SteadyTime())](std::int64_t size) {
    const SteadyTime now = clock_->Steady();
    if (now - last->load() < kTellInterval) return;
    last->store(now);
    bus_->Publish(context, LogAvailable{path, size, true});
  };
  order.on_trouble = [this, &request](const std::string& text) { Warn(request, text); };
  job->log = std::make_shared<JobLog>(std::move(order));
}

Failure JobRunner::Await(Job* job, const CancelToken& cancel) {
  const JobRequest& request = job->request;
  Failure ended_by_us;
  JobState state;
  SteadyTime next_pump = clock_->Steady();
  StallWatch stall(request.stall_timeout, next_pump, [&] { return request.target->ReadLog(job->handle, 0, 1).size; });
  for (;;) {
    const std::optional<Duration> interval = job->log->PumpInterval();
    Duration longest = interval ? *interval : Duration(kLongestWait);
    if (request.deadline) longest = std::min(longest, Duration(*request.deadline - clock_->Wall()));
    longest = std::min(longest, stall.UntilNextLook(clock_->Steady()));
    state = request.target->Wait(job->handle, cancel, longest);
    if (state.phase == JobState::Phase::kEnded) break;
    if (cancel.abandoned()) {
      throw Error(ErrorCode::kConnectionLost, "the engine gave up; the job goes on", "`cosmos-engine resume` finds it");
    }
    if (interval && clock_->Steady() >= next_pump) {
      job->log->Pump();
      next_pump = clock_->Steady() + *interval;
    }
    if (cancel.cancelled()) ended_by_us = {FailureKind::kCancelled, "cancelled"};
    if (!ended_by_us && request.deadline && clock_->Wall() >= *request.deadline) {
      ended_by_us = {FailureKind::kTimeout, "the stage's time was over and its job was ended"};
    }
    if (!ended_by_us && stall.Stalled(clock_->Steady())) {
      ended_by_us = {FailureKind::kStalled,
                     "the job wrote nothing to its log for " + FormatDuration(*request.stall_timeout) +
                         " and was ended; what it did " + "then stands in " + request.diagnostics.string()};
      KeepDiagnosis(*job, "stalled", WhatItDoes(job->handle, job->container ? &*job->container : nullptr));
    }
    if (ended_by_us) break;
  }
  // Also after a good end: nothing that the job started stays behind.
  if (!End(job, static_cast<bool>(ended_by_us)) && ended_by_us) {
    ended_by_us.message += ", but not all that it started could be ended";
  }
  if (ended_by_us) state = request.target->Poll(job->handle);
  const Failure failure =
      ended_by_us ? ended_by_us : FailureOf(state, request.log_path, job->container ? &*job->container : nullptr);
  job->record.status = "ended";
  job->record.exit_status = state.exit_status;
  job->record.ended_at = UnixMilliseconds(clock_->Wall());
  store_->Write([record = job->record](RunStore& store) mutable { store.PutJob(&record); });
  bus_->Publish(request.context, JobEnded{state.exit_status, failure.kind});
  return failure;
}

bool JobRunner::End(Job* job, bool runs) {
  const JobRequest& request = job->request;
  bool gone = true;
  if (job->container) {
    if (runs) gone = StopContainer(request.target, *job->container, request.grace);
    job->container_facts = InspectContainer(request.target, &*job->container);
    if (job->container->status == "running" && !job->container_facts.empty()) {
      gone = StopContainer(request.target, *job->container, request.grace);
      job->container_facts = InspectContainer(request.target, &*job->container);
    }
    PutContainer(*job->container);
    if (!gone) Warn(request, "the container " + job->container->name + " could not be ended");
  }
  if (request.target->Cancel(job->handle, request.grace)) return gone;
  Warn(request,
       fmt::format("processes of the job in {} could not be ended (session {})", job->handle.folder, job->handle.pid));
  return false;
}

void JobRunner::KeepDiagnosis(const Job& job, const std::string& moment, const std::string& more) {
  const JobRequest& request = job.request;
  try {
    MakeFolders(request.diagnostics);
    const std::string stem =
        (request.diagnostics / (request.context.key() + ".attempt-" + std::to_string(request.context.attempt)))
            .string();
    if (!job.container_facts.empty()) WriteFile(stem + ".container.json", masker_->Mask(job.container_facts) + "\n");
    const TargetOutput host =
        request.target->Run("cd -- " + ShellQuote(request.folder) +
                                " && date -u && uptime && ls -la . out && df -h . && cat /proc/meminfo" + more,
                            kDiagnosisTime);
    WriteFile(stem + "." + moment + ".txt", masker_->Mask(host.output + host.errors));
  } catch (const Error& error) {
    Warn(request, std::string("the diagnosis of the failed job could not be kept: ") + error.what());
  }
}

void JobRunner::Remove(Job* job) {
  if (!RemoveContainer(job->request.target, *job->container)) {
    return Warn(job->request, "the container " + job->container->name + " could not be removed");
  }
  job->container->status = "removed";
  PutContainer(*job->container);
}

void JobRunner::PutContainer(const ContainerRecord& container) {
  store_->Write([record = container](RunStore& store) mutable { store.PutContainer(&record); });
}

void JobRunner::Warn(const JobRequest& request, const std::string& text) {
  logger_->Log(LogLevel::kWarning, request.context, text);
}

}  // namespace cosmos
