#include "job/job_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/deadline_token.h"
#include "core/error.h"
#include "core/failure_patterns.h"
#include "core/files.h"
#include "core/text.h"
#include "job/container_engine.h"
#include "job/job_failure.h"
#include "job/job_wait.h"
#include "job/transfer_watch.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;

constexpr auto kTellInterval = milliseconds(100);  // of a log that grows
constexpr auto kDiagnosisTime = std::chrono::seconds(10);
constexpr auto kEngineTime = std::chrono::seconds(30);      // for a container engine, at the end of a job
constexpr auto kLeastEngineTime = std::chrono::seconds(1);  // of one question
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

JobFacts FactsOf(const JobRequest& request, const JobHandle& handle) {
  JobFacts facts{handle.pid_start_time, handle.boot_id};
  if (const auto& container = request.command.container) {
    facts.container = {{"name", ContainerNameOf(request.context)},
                       {"engine", container->engine},
                       {"sudo", container->sudo},
                       {"image", container->image}};
  }
  for (const RunContext& member : request.members) {
    facts.members.push_back({{"instance", member.instance}, {"attempt", member.attempt}});
  }
  return facts;
}

// An earlier engine submitted the job, and told the store unless it died just then.
void KeepSubmissionTime(RunStore& store, JobRecord* record) {
  for (const JobRecord& job : store.JobsOf(record->run_id)) {
    if (job.folder == record->folder && job.target == record->target) record->submitted_at = job.submitted_at;
  }
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
  bool submitted = request.resumed;
  try {
    return RunJob(request, cancel, on_output, &submitted);
  } catch (const Error& error) {
    if (!submitted || error.code() == ErrorCode::kConnectionLost) throw;
    throw Error(ErrorCode::kUnfinished, error.message(), error.hint(), error.where());
  } catch (const std::exception& error) {
    if (!submitted) throw;
    throw Error(ErrorCode::kUnfinished, error.what());
  }
}

JobOutcome JobRunner::RunJob(const JobRequest& request, const CancelToken& cancel, const JobLog::Listener& on_output,
                             bool* submitted) {
  const OutputCollector collector(request.outputs, request.folder, request.local_folder);
  Job job{request, {}, {}, std::nullopt, {}, nullptr, false, {}};
  if (request.command.container) job.container = ContainerOf(request);
  bool attached = request.target->Find(request.folder).has_value();
  JobOutcome outcome;
  if (!attached) {
    outcome.failure = BringInputs(request, cancel);
    if (outcome.failure) return outcome;
  }
  attached = Start(&job, collector, attached, submitted);
  OpenLog(&job, on_output, cancel);
  const OpenedLog opened(&logs_, JobLogs::NameOf(request.context), job.log);
  if (attached) {
    bus_->Publish(request.context,
                  JobAttached{request.target_name, job.handle.folder, job.handle.pid, FactsOf(request, job.handle)});
  } else {
    bus_->Publish(request.context,
                  JobSubmitted{request.target_name, job.handle.folder, job.handle.pid, FactsOf(request, job.handle)});
  }
  bus_->Publish(request.context, LogAvailable{request.log_path, 0, false});
  outcome.failure = Await(&job, attached, cancel);
  bus_->Publish(request.context, LogAvailable{request.log_path, job.log->Finish(), false});
  if (!outcome.failure) {
    Collection collection = Collect(&job, collector, cancel);
    outcome.failure = std::move(collection.failure);
    outcome.outputs = std::move(collection.outputs);
  }
  if (outcome.failure) {
    outcome.failure = Explained(outcome.failure, ReadVerdict(ReadTail(request.log_path, kVerdictBytes)));
    KeepDiagnosis(job, "host", "");
  }
  if (job.container) Remove(&job);
  outcome.left_behind = job.left_behind;
  return outcome;
}

Failure JobRunner::BringInputs(const JobRequest& request, const CancelToken& cancel) {
  if (request.inputs.empty()) return {};
  std::optional<Duration> left;
  if (request.timeout) left = std::max<Duration>(*request.timeout - (clock_->Steady() - request.begun), Duration(0));
  const DeadlineToken limit(cancel, left);
  TransferWatch watch(bus_, clock_, request.context, {"upload", request.target_name, request.inputs.size()});
  request.target->Upload(request.inputs, request.context.run_id, limit.token(),
                         [listener = watch.Around(request.on_progress)](std::int64_t done, std::int64_t total) {
                           listener(static_cast<double>(done), static_cast<double>(total), "uploading");
                         });
  if (cancel.cancelled()) return {FailureKind::kCancelled, "cancelled"};
  if (!limit.expired()) return {};
  return {FailureKind::kTimeout, "timed out after " + FormatDuration(*request.timeout) +
                                     ", before its inputs were uploaded and its job could start"};
}

// A job that is not known to have been started is asked for once more, as the answer may have been lost alone.
Submission JobRunner::Submit(const JobRequest& request, bool* submitted) {
  const JobScript script = MakeJobScript(request.context, request.folder, request.command, *masker_);
  const bool resumed = std::exchange(*submitted, true);
  Submission submission;
  try {
    submission = request.target->Submit(
        {request.folder, script.text, script.environment, request.newest_log, request.owner, resumed});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kConnectionLost || resumed) throw;
    const auto handle = request.target->Find(request.folder);
    if (!handle || handle->pid == 0) {
      // It may have started and lost its folder, and then nobody would find it again.
      *submitted = !request.target->Cancel({request.folder, 0, 0, kNoBootId, ""}, request.grace);
      throw;
    }
    return {*handle, false, false};
  }
  if (submission.foreign) {
    *submitted = false;
    throw Error(ErrorCode::kInvalidInput,
                "the folder " + request.folder + " on '" + request.target_name +
                    "' belongs to another run that had the same ID '" + request.context.run_id + "'",
                "give another --run-id, or remove that folder once nobody needs what is in it");
  }
  return submission;
}

bool JobRunner::Start(Job* job, const OutputCollector& collector, bool attached, bool* submitted) {
  const JobRequest& request = job->request;
  if (!attached) collector.RemoveOld();
  const Submission submission = Submit(request, submitted);
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

void JobRunner::OpenLog(Job* job, const JobLog::Listener& on_output, const CancelToken& cancel) {
  const JobRequest& request = job->request;
  JobLog::Order order;
  order.target = request.target;
  order.handle = job->handle;
  order.local = request.log_path;
  order.max_bytes = request.max_log_bytes;
  order.masker = masker_;
  order.cancel = &cancel;
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

Failure JobRunner::Await(Job* job, bool attached, const CancelToken& cancel) {
  const JobRequest& request = job->request;
  JobState state;
  JobWait wait(&request, &job->handle, job->log.get(), attached, clock_,
               [&](const std::string& text) { Warn(request, text); });
  Failure ended_by_us = wait.Await(cancel, &state);
  if (ended_by_us.kind == FailureKind::kStalled) {
    KeepDiagnosis(*job, "stalled", WhatItDoes(job->handle, job->container ? &*job->container : nullptr));
  }
  job->engine_time = clock_->Steady() + request.grace + kEngineTime;
  // Also after a good end: nothing that the job started stays behind.
  End(job, static_cast<bool>(ended_by_us));
  if (ended_by_us && job->left_behind) ended_by_us.message += ", but not all that it started could be ended";
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

Duration JobRunner::EngineLimit(const Job& job) const {
  return std::max<Duration>(job.engine_time - clock_->Steady(), kLeastEngineTime);
}

void JobRunner::End(Job* job, bool runs) {
  const JobRequest& request = job->request;
  if (job->container) {
    bool gone = true;
    if (runs) gone = StopContainer(request.target, *job->container, request.grace, EngineLimit(*job));
    std::string problem;
    job->container_facts = InspectContainer(request.target, &*job->container, EngineLimit(*job), &problem);
    if (!problem.empty()) {
      Warn(request, "the description of the container " + job->container->name + " cannot be read: " + problem);
    }
    if (job->container->status == "running" && !job->container_facts.empty()) {
      gone = StopContainer(request.target, *job->container, request.grace, EngineLimit(*job));
      job->container_facts = InspectContainer(request.target, &*job->container, EngineLimit(*job));
    }
    PutContainer(*job->container);
    if (!gone) {
      job->left_behind = true;
      Warn(request, "the container " + job->container->name + " could not be ended");
    }
  }
  if (request.target->Cancel(job->handle, request.grace)) return;
  job->left_behind = true;
  Warn(request,
       fmt::format("processes of the job in {} could not be ended (session {})", job->handle.folder, job->handle.pid));
}

Collection JobRunner::Collect(Job* job, const OutputCollector& collector, const CancelToken& cancel) {
  const JobRequest& request = job->request;
  TransferWatch watch(bus_, clock_, request.context, {"download", request.target_name});
  const auto collect = [&] {
    Collection collection = collector.Collect(request.target, cancel, watch.Around(request.on_progress));
    watch.SetFiles(collection.transfers);
    return collection;
  };
  Collection collection = collect();
  if (!collection.unreadable) return collection;
  if (job->container) {
    TakeOver(request.target, *job->container, request.folder);
  } else {
    request.target->Run("chmod -R u+rwX -- " + ShellQuote(request.folder + "/out"), kDiagnosisTime);
  }
  return collect();
}

void JobRunner::KeepDiagnosis(const Job& job, const std::string& moment, const std::string& more) {
  const JobRequest& request = job.request;
  try {
    MakePrivateFolder(request.diagnostics);
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
  const JobRequest& request = job->request;
  if (!job->left_behind && !TakeOver(request.target, *job->container, request.folder, EngineLimit(*job))) {
    Warn(request, "files of the container in " + request.folder + " cannot be removed by the target's account");
  }
  if (!RemoveContainer(request.target, *job->container, EngineLimit(*job))) {
    return Warn(request, "the container " + job->container->name + " could not be removed");
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
