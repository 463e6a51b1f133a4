#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/logger.h"
#include "core/masker.h"
#include "core/status.h"
#include "event/bus.h"
#include "job/job_log.h"
#include "job/job_logs.h"
#include "job/job_request.h"
#include "job/output_collector.h"
#include "store/store_writer.h"
#include "target/target.h"

namespace cosmos {

// Runs one durable job from its folder to its checked outputs: brings its inputs, submits it or attaches to it, keeps
// its handle in the store before it counts as running, tells the bus, brings its log, waits, and ends it on
// cancellation and timeout. A container goes only when its log, its outputs and, after a failure, its diagnosis are
// local. Called again for the same folder, by this or another engine, it continues where it was. Thread-safe.
class JobRunner {
 public:
  // All pointers must outlive the runner.
  JobRunner(StoreWriter* store, EventBus* bus, Logger* logger, const Masker* masker, Clock* clock);

  // Throws Error: kUnfinished when the store, a local file or the host fails once the job may have been submitted, and
  // kConnectionLost; the job, or what it made, is then still there and may be attached to again. Any other code: it was
  // not submitted.
  JobOutcome Run(const JobRequest& request, const CancelToken& cancel, const JobLog::Listener& on_output);

  // The logs of the jobs under way.
  JobLogs& logs() { return logs_; }

 private:
  // One job under way.
  struct Job {
    const JobRequest& request;
    JobHandle handle;
    JobRecord record;
    std::optional<ContainerRecord> container;
    std::string container_facts;  // JSON text, as the container engine tells it
    std::shared_ptr<JobLog> log;
    bool left_behind = false;
    SteadyTime engine_time{};  // until when the container engine may take for what is asked at the end
  };

  // `submitted`: whether the job may have been.
  JobOutcome RunJob(const JobRequest& request, const CancelToken& cancel, const JobLog::Listener& on_output,
                    bool* submitted);
  // What ended it before the inputs were there: cancellation or timeout; or nothing.
  Failure BringInputs(const JobRequest& request, const CancelToken& cancel);
  // Submits the job and keeps its handle. `attached`: it was found to have been started before. Whether it had been.
  bool Start(Job* job, const OutputCollector& collector, bool attached, bool* submitted);
  Submission Submit(const JobRequest& request, bool* submitted);
  void OpenLog(Job* job, const JobLog::Listener& on_output, const CancelToken& cancel);
  // How the job ended: by itself, or ended by us (cancelled, timeout, stalled).
  Failure Await(Job* job, bool attached, const CancelToken& cancel);
  // Ends what the job started; `runs`: the job itself, too. Sets left_behind, with a warning in the log, when something
  // of it would not go.
  void End(Job* job, bool runs);
  Collection Collect(Job* job, const OutputCollector& collector, const CancelToken& cancel);
  // What a failed job leaves for people, below JobRequest::diagnostics: facts of its host, named after `moment`, with
  // what the commands `more` print.
  void KeepDiagnosis(const Job& job, const std::string& moment, const std::string& more);
  void Remove(Job* job);
  // What the container engine may still take.
  Duration EngineLimit(const Job& job) const;
  void PutContainer(const ContainerRecord& container);
  void Warn(const JobRequest& request, const std::string& text);

  StoreWriter* const store_;
  EventBus* const bus_;
  Logger* const logger_;
  const Masker* const masker_;
  Clock* const clock_;
  JobLogs logs_;
};

}  // namespace cosmos
