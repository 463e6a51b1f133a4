#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "core/clock.h"
#include "core/run_context.h"
#include "core/status.h"

namespace cosmos {

// What can happen in a run (DESIGN 7). Each payload's name in JSON is its name here in snake_case. Payloads are values.
struct RunStarted {
  std::string workflow;
  std::size_t stages = 0;
  std::int64_t retried_at = 0;  // milliseconds since the Unix epoch; 0: the run is new
};
// Another engine goes on with a run whose engine was gone; it stands in place of a second RunStarted.
struct RunResumed {};
struct RunFinished {
  Status status = Status::kSucceeded;
  Failure failure;
  std::int64_t ended_at = 0;  // milliseconds since the Unix epoch; 0: not known
  std::string log_path = {};
};
// What the store keeps of an attempt, so that its record can be restored from the events. Times are milliseconds since
// the Unix epoch; 0: nothing of this is known.
struct AttemptFacts {
  std::string uses;
  std::string target;
  std::string prompt_id;
  std::string prompt_name;
  std::string operation_id;
  std::string log_path;
  std::string progress;  // a JSON object, or empty
  Failure failure;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
};
struct StageReady {};
struct StageStarted {
  std::string uses;
  std::string target;
  AttemptFacts facts = {};
};
struct StageFinished {
  nlohmann::json outputs;
  AttemptFacts facts = {};
};
struct StageFailed {
  Failure failure;
  AttemptFacts facts = {};
};
struct StageCancelled {
  AttemptFacts facts = {};
};
struct StageSkipped {
  std::string reason;
  AttemptFacts facts = {};
};
struct StageRetrying {
  Failure failure;
  int next_attempt = 2;
  Duration delay{};
  std::string change;  // the step of `retry.on_oom` that is taken; empty: none
};
// The stage may run, and waits for GPUs of its target.
struct StageQueued {
  std::string target;
  int gpus = 0;
  std::string reason;  // and whom it waits for, for people
};
// The stage has GPUs for itself until it ends.
struct GpusLeased {
  std::string target;
  nlohmann::json gpus;  // [{"index", "uuid", "name"}…]; null for what is not known
  Duration waited{};
};
// Where a job runs, for all that its record is restored from.
struct JobFacts {
  std::int64_t pid_start_time = 0;                   // clock ticks since boot
  std::string boot_id = {};                          // of the machine
  nlohmann::json container = {};                     // {"name", "engine", "sudo", "image"}; null without one
  nlohmann::json members = nlohmann::json::array();  // [{"instance", "attempt"}…]: further attempts that share it
};
struct JobSubmitted {
  std::string target;
  std::string folder;
  std::int64_t pid = 0;
  JobFacts facts = {};
};
struct JobAttached {
  std::string target;
  std::string folder;
  std::int64_t pid = 0;
  JobFacts facts = {};
};
struct JobEnded {
  int exit_status = -1;  // -1: not known
  FailureKind kind = FailureKind::kNone;
};
struct LogAvailable {
  std::string path;
  std::int64_t offset = 0;  // bytes that are there now
  bool growing = false;     // told while the job runs: for watching only
};
struct Progress {
  double done = 0;
  double total = 0;  // 0: not known
  std::string phase;
  double eta_seconds = -1;  // -1: not known
};
// What the GPUs of a stage did at one moment.
struct GpuSample {
  std::string target;
  nlohmann::json gpus;  // as GpuReading has them
};
struct ArtifactMade {
  std::string name;
  std::string path;
  std::int64_t size = 0;
  std::string sha256;
  std::int64_t files = 0;  // as ArtifactRecord::files
};
// Files were moved between this machine and a target.
struct TransferEnded {
  std::string direction;  // "upload" or "download"
  std::string target;
  std::size_t files = 0;   // that were to be there; some may have been already
  std::int64_t bytes = 0;  // that were moved
  Duration duration{};
};
struct TargetConnected {
  std::string target;
};
struct TargetLost {
  std::string target;
  std::string reason;
};
struct TargetReconnected {
  std::string target;
};
struct HookFailed {
  std::string hook;
  std::string message;
  bool disabled = false;  // it failed too often and gets no more events
};
struct EventsDropped {
  std::string subscriber;
  std::uint64_t count = 0;
};

using EventPayload =
    std::variant<RunStarted, RunResumed, RunFinished, StageReady, StageStarted, StageFinished, StageFailed,
                 StageCancelled, StageSkipped, StageRetrying, StageQueued, GpusLeased, JobSubmitted, JobAttached,
                 JobEnded, LogAvailable, Progress, GpuSample, ArtifactMade, TransferEnded, TargetConnected, TargetLost,
                 TargetReconnected, HookFailed, EventsDropped>;

// One thing that happened in a run. Immutable once published. `context.stage` is empty for what concerns the whole run.
struct Event {
  std::uint64_t seq = 0;  // from 1, without gaps, in the order of the run
  RunContext context;
  WallTime time;
  SteadyTime monotonic;
  EventPayload payload;
};

// The name of the payload, such as "stage_started".
std::string_view TypeName(const EventPayload& payload);
// Whether the journal keeps it; the rest (progress, a log that grows, GPU samples) is for watching only, and of each
// kind only the latest of a stage matters.
bool IsLifecycle(const EventPayload& payload);

// {"done", "total", "phase", "eta"}; what is not known is null.
nlohmann::json ToJson(const Progress& progress);

// {"v": 1, "seq", "run_id", "stage", "instance", "attempt", "time", "monotonic", "type", "data": {…}}; stage, instance
// and attempt are left out for what concerns the whole run. New keys may come; these stay.
nlohmann::json ToJson(const Event& event);

}  // namespace cosmos
