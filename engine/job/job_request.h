#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/run_context.h"
#include "core/status.h"
#include "job/job_script.h"
#include "job/output_collector.h"
#include "store/store_writer.h"
#include "target/target.h"

namespace cosmos {

// One durable job as JobRunner is asked for it. A value.
struct JobRequest {
  RunContext context;
  std::string target_name;
  Target* target = nullptr;
  std::string folder;      // of the job, absolute on the target
  std::string newest_log;  // on the target; becomes a link to the job's log; empty: none
  JobCommand command;
  std::vector<FileTransfer> inputs;  // to be on the target before the job starts
  std::vector<JobOutput> outputs;
  std::filesystem::path local_folder;     // for the outputs
  std::filesystem::path log_path;         // local, absolute
  std::int64_t max_log_bytes = 0;         // of the local log
  std::filesystem::path diagnostics;      // local folder; what is known of a failed job is kept there
  std::string owner;                      // as in JobOrder
  bool resumed = false;                   // likewise
  std::optional<Duration> timeout;        // for its inputs to be there and then for itself to run
  SteadyTime begun{};                     // when the attempt began in this engine
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
  bool left_behind = false;  // something of the job may still run, so that it must not be repeated
};

}  // namespace cosmos
