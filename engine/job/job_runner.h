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
#include "job/job_script.h"
#include "job/log_pump.h"
#include "job/output_collector.h"
#include "store/store_writer.h"
#include "target/target.h"

namespace cosmos {

struct JobRequest {
  RunContext context;
  std::string target_name;
  Target* target = nullptr;
  std::string folder;  // of the job, absolute on the target
  JobCommand command;
  std::vector<JobOutput> outputs;
  std::filesystem::path local_folder;  // for the outputs
  std::filesystem::path log_path;      // local, absolute
  std::optional<WallTime> deadline;
  Duration grace{};          // between TERM and KILL
  StoreWriter::Change also;  // committed together with the handle; may be empty
};

struct JobOutcome {
  Failure failure;  // kCancelled when the token was cancelled
  std::vector<CollectedOutput> outputs;
};

// Runs one durable job from its folder to its checked outputs: submits it or attaches to it, keeps its handle in the
// store before it counts as running, tells the bus, brings its log, waits, and ends it on cancellation and time-out.
// Called again for the same folder, by this or another engine, it goes on where it was. Thread-safe.
class JobRunner {
 public:
  // All pointers must outlive the runner.
  JobRunner(StoreWriter* store, EventBus* bus, Logger* logger, const Masker* masker, Clock* clock);

  // Throws Error when the target, the store or a local file fails; the job then goes on and may be attached to again.
  JobOutcome Run(const JobRequest& request, const CancelToken& cancel, const LogPump::Listener& on_output);

 private:
  JobHandle Start(const JobRequest& request, const OutputCollector& collector, JobRecord* record);
  // How the job ended: by itself, or ended by us (cancelled, timeout).
  Failure Await(const JobRequest& request, const JobHandle& handle, JobRecord record, LogPump* log,
                const CancelToken& cancel);
  // Ends what the job started. False, and a warning in the log, when something of it would not go.
  bool End(const JobRequest& request, const JobHandle& handle);

  StoreWriter* const store_;
  EventBus* const bus_;
  Logger* const logger_;
  const Masker* const masker_;
  Clock* const clock_;
};

}  // namespace cosmos
