#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// What the store keeps, as plain values (within C++14, see run_store.h). Times are milliseconds since the Unix epoch, 0
// when not yet; an empty text is stored as NULL where the column allows it; `id` is 0 until the store has kept the
// record. Statuses and failure kinds are the words of core/status.h.
namespace cosmos {

constexpr std::size_t kMaxLogPathCharacters = 500;

// Whether two records are of the same attempt of a run's stage instance.
template <typename A, typename B>
bool AreOfOneAttempt(const A& a, const B& b) {
  return a.stage == b.stage && a.instance == b.instance && a.attempt == b.attempt;
}

struct PromptRecord {
  std::string prompt_id;  // key
  std::string parent_id;  // the prompt this one was made from, or empty
  std::string text;
  std::string negative_prompt;
  std::int64_t created_at = 0;
};

struct RunRecord {
  std::string run_id;  // key
  std::string workflow;
  std::string workflow_path;  // absolute
  std::string output_dir;     // absolute; OUTPUT_DIR/.runs/RUN_ID/ holds the run's own files
  std::string prompt_id;
  std::string prompt_name;
  std::string status;
  std::string failure_kind;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  std::string log_path;         // since version 2; at most 500 characters
  std::string error_message;    // since version 2; at most 1000 characters
  std::int64_t retried_at = 0;  // when its latest retry began; 0: never retried. Since version 7

  // From where its duration counts: what a retry took says nothing of the time before.
  std::int64_t LatestStart() const { return retried_at != 0 ? retried_at : started_at; }
};

// One attempt of one stage instance. Unique: run_id, stage, instance, attempt.
struct StageRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string uses;
  std::string target;
  std::string status;
  std::string failure_kind;
  std::string error_message;
  std::string prompt_id;
  std::string prompt_name;
  std::string operation_id;
  std::string log_path;
  std::string outputs;  // JSON object, or empty
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  std::string progress;  // the latest that was reported, a JSON object, or empty; since version 4
};

// The handle of one durable job. Unique: run_id, stage, instance, attempt.
struct JobRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
  std::string folder;  // absolute, on the target
  std::int64_t pid = 0;
  std::int64_t pid_start_time = 0;  // clock ticks since boot, as /proc/PID/stat gives it
  std::string boot_id;
  std::string container;
  std::string status;    // running | ended
  int exit_status = -1;  // -1: not known
  std::int64_t submitted_at = 0;
  std::int64_t ended_at = 0;
};

// The container of one job. Unique: run_id, stage, instance, attempt. Since version 3.
struct ContainerRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
  std::string engine;  // docker | podman
  bool sudo = false;   // whether the container engine is called with sudo
  std::string name;
  std::string container_id;  // as the container engine tells it, or empty
  std::string image;
  std::string status;    // running | exited | removed
  int exit_status = -1;  // -1: not known
  bool oom_killed = false;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
};

struct ArtifactRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string name;  // the output it is, or empty
  std::string path;  // absolute, local; of several files their folder or pattern
  std::int64_t size = 0;
  std::string sha256;
  std::int64_t files = 0;  // how many they are; 0: it is one file. Since version 8.
};

// How long the parts of one job took, for later jobs like it. Since version 4.
struct TimingsRecord {
  std::uint64_t id = 0;
  std::string key;      // JSON object: what the duration depends on
  std::string timings;  // JSON object
  std::string run_id;   // which may be gone
  std::int64_t ended_at = 0;
  std::int64_t gpu_memory = 0;  // bytes: the most that one of its GPUs held; 0: not measured. Since version 5
};

// What one stage attempt asks of a machine's GPUs: it waits for them, or holds them. There is none without GPUs, and
// none any more once they are given back. Unique: run_id, stage, instance, attempt; ids grow in the order of requests.
// Since version 5.
struct GpuClaimRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
  std::string host;  // of the target; those with the same one share its GPUs
  int gpus = 1;
  int priority = 0;     // higher comes first
  std::string devices;  // JSON array, see GpuLeases; empty: it waits
  std::string reason;   // why it waits, for people
  bool asleep = false;  // its engine has no hand free to take them, so that others need not wait for it
  std::int64_t requested_at = 0;
  std::int64_t granted_at = 0;
};

// What was measured of one GPU while a stage attempt had it. Unique: run_id, stage, instance, attempt, gpu. -1 stands
// for what is not known. Since version 5.
struct GpuUsageRecord {
  std::uint64_t id = 0;
  std::string run_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  int gpu = 0;  // its number on the target
  std::string uuid;
  std::string name;
  std::int64_t memory_total = -1;  // bytes
  std::int64_t peak_memory = -1;
  double mean_utilization = -1;  // 0 to 1, over the time
  double peak_utilization = -1;
  double energy = -1;  // joules
  double seconds = 0;  // that it was watched
  std::int64_t samples = 0;
};

}  // namespace cosmos
