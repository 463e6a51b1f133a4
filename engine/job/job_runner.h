#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/logger.h"
#include "core/masker.h"
#include "core/run_context.h"
#include "core/status.h"
#include "event/bus.h"
#include "job/job_log.h"
#include "job/job_logs.h"
#include "job/job_script.h"
#include "job/output_collector.h"
#include "store/store_writer.h"
#include "target/target.h"

namespace cosmos {

struct JobRequest {
  RunContext context;
  std::string target_name;
  Target* target = nullptr;
  std::string folder;      // of the job, absolute on the target
  std::string newest_log;  // on the target; becomes a link to the job's log; empty: none
  JobCommand command;
  std::vector<FileTransfer> inputs;  // to be on the target before the job starts
  std::vector<JobOutput> outputs;
  std::filesystem::path local_folder;  // for the outputs
  std::filesystem::path log_path;      // local, absolute
  std::int64_t max_log_bytes = 0;      // of the local log
  std::filesystem::path diagnostics;   // local folder; what is known of a failed job is kept there
  std::optional<WallTime> deadline;
  std::optional<Duration> stall_timeout;  // how long the job may write nothing to its log
  Duration grace{};                       // between TERM and KILL
  std::vector<RunContext> members;        // further attempts that share the job
  StoreWriter::Change also;               // committed together with the handle; may be empty
  // How far transfers are, in bytes; `phase` says which. May be empty.
  std::function<void(double done, double total, std::string_view phase)> on_progress;
};

struct JobOutcome {
  Failure failure;  // kCancelled when the token was cancelled
  std::vector<CollectedOutput> outputs;
};

// Runs one durable job from its folder to its checked outputs: brings its inputs, submits it or attaches to it, keeps
// its handle in the store before it counts as running, tells the bus, brings its log, waits, and ends it on
// cancellation and time-out. A container goes only when its log, its outputs and, after a failure, its diagnosis are
// local. Called again for the same folder, by this or another engine, it goes on where it was. Thread-safe.
class JobRunner {
 public:
  // All pointers must outlive the runner.
  JobRunner(StoreWriter* store, EventBus* bus, Logger* logger, const Masker* masker, Clock* clock);

  // Throws Error when the target, the store or a local file fails; the job then goes on and may be attached to again.
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
  };

  // False when `cancel` was cancelled meanwhile.
  bool BringInputs(const JobRequest& request, const CancelToken& cancel);
  // Submits the job and keeps its handle. `attached`: it was found to have been started before. Whether it had been.
  bool Start(Job* job, const OutputCollector& collector, bool attached);
  void OpenLog(Job* job, const JobLog::Listener& on_output);
  // How the job ended: by itself, or ended by us (cancelled, timeout).
  Failure Await(Job* job, const CancelToken& cancel);
  // Ends what the job started; `runs`: the job itself, too. False, and a warning in the log, when something of it would
  // not go.
  bool End(Job* job, bool runs);
  // What a failed job leaves for people, below JobRequest::diagnostics: facts of its host, named after `moment`, with
  // what the commands `more` print.
  void KeepDiagnosis(const Job& job, const std::string& moment, const std::string& more);
  void Remove(Job* job);
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
