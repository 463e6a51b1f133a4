#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/run_context.h"
#include "job/gpu_inventory.h"
#include "job/gpu_queue.h"
#include "store/run_store.h"
#include "target/gpu/gpu_cache.h"
#include "target/target.h"

namespace cosmos {

// What to do about a free GPU that a program of nobody's here uses, and about a driver that does not answer, for which
// kIgnore means to take GPUs by their numbers.
enum class GpuBusy { kWait, kFail, kIgnore };

// What one attempt of a stage asks for.
struct GpuRequest {
  RunContext context;   // whose
  std::string target;   // its name
  std::string host;     // see HostKeyOf
  std::string answers;  // whose answers are kept together; empty: the host's
  int gpus = 1;
  int most = 0;  // that the target has, by its configuration; 0: it does not say
  int priority = 0;
  GpuBusy busy = GpuBusy::kWait;
};

struct GpuAnswer {
  enum class Kind {
    kGranted,
    kWaits,    // its place in the queue is kept: ask again soon
    kRefused,  // it will never be granted, or not while programs of somebody else use the GPUs; its place is given up
  };
  Kind kind = Kind::kWaits;
  std::vector<LeasedGpu> gpus;  // when granted
  std::string reason;           // else, for people
  bool possible = true;         // when refused: what keeps the GPUs from it may end, and it can be tried again
  Duration waited{};            // since it was asked for first
};

// Who has which GPUs of which host, and who waits for them, for all engines that share a store: no two attempts ever
// have the same GPU. A lease is given back, or is free once its holder is gone: no engine carries its run out, and its
// job does not run on; its age does not matter. Engines with another store, and all else that computes there, are known
// by their processes alone. Thread-safe.
class GpuLeases {
 public:
  struct Holders {
    // Whether an engine carries the run out. Called within a transaction: quick, without the store.
    std::function<bool(const std::string& run_id, const std::string& output_dir)> has_engine;
    // Whether the job of an attempt whose engine is gone still runs, asked of a target on the claim's host.
    std::function<bool(const GpuClaimRecord& claim, Target* target)> has_job;
  };

  // The pointers must outlive this.
  GpuLeases(RunStore* store, Clock* clock, GpuCache cache, Holders holders);

  // Asks for GPUs, or again for those that the attempt waits for or has. Never waits for others, but asks the target
  // about GPUs, processes and jobs: less and less often the longer the attempt waits. Throws what the store throws.
  GpuAnswer Ask(const GpuRequest& request, Target* target);
  // Gives them back, or the place in the queue up.
  void Release(const RunContext& context);
  void ReleaseAll(const std::string& run_id);
  // The run's engine has no hand free to take GPUs: those behind its waiting attempts need not wait for it until it
  // asks again, which keeps its place.
  void Sleep(const std::string& run_id);

 private:
  // The claims that matter to a request, as the store has them at one moment.
  struct View {
    GpuClaimRecord mine;
    std::vector<GpuClaimRecord> others;
    std::vector<std::uint64_t> gone;  // of those whose holders are
  };

  // What keeps an attempt waiting.
  enum class Block { kNone, kOurs, kSomebodyElse, kSilent, kTooFewWork, kTooFew };
  struct Waiting {
    Block block = Block::kNone;
    SteadyTime since;     // it is the same block
    std::string subject;  // see GpuDecision
    std::string reason;
  };
  struct Outcome {
    View view;
    GpuDecision decision;
    Block block = Block::kNone;
    std::optional<Duration> age;  // of the reading it rests on
  };

  struct SeenRunning {
    SteadyTime first, last;
  };

  // How old a reading may be for an attempt that has been blocked for so long.
  static Duration LongestAge(Block block, Duration since);
  static Block BlockOf(GpuInventory::Kind kind, const GpuDecision& decision);
  // The GPUs that the attempt has by an earlier question.
  std::optional<GpuAnswer> Held(const GpuRequest& request);
  Waiting WaitingOf(const RunContext& context);
  // Decides, and writes it down unless nothing has changed.
  Outcome Decide(const GpuRequest& request, Target* target, const std::vector<std::uint64_t>& gone,
                 const Waiting& waiting, Duration longest_age);
  GpuAnswer AnswerOf(const GpuRequest& request, const Outcome& outcome);
  // The ids of claims whose holders are gone.
  std::vector<std::uint64_t> Gone(const GpuRequest& request, Target* target);
  bool HasJob(const GpuClaimRecord& claim, Target* target);
  bool HasEngine(const GpuClaimRecord& claim, const std::string& own_run) const;
  GpuClaimRecord ClaimOf(const GpuRequest& request) const;
  View Look(const GpuRequest& request, const std::vector<std::uint64_t>& gone,
            const std::vector<GpuCandidate>& candidates);
  RunStore& store_;
  Clock& clock_;
  const GpuCache cache_;
  const Holders holders_;
  std::mutex mutex_;                                   // guards what follows
  std::map<std::string, Waiting> waiting_;             // by attempt
  std::map<std::uint64_t, SeenRunning> seen_running_;  // jobs without an engine, by their claims
};

}  // namespace cosmos
