#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "job/gpu_leases.h"
#include "run/run_services.h"
#include "run/run_state.h"
#include "run/stage_runner.h"

namespace cosmos {

// What a run's stages pass before they are carried out: those that ask for GPUs get them here, or wait. Tells the bus
// and the run's log of both. Thread-safe.
class GpuGate {
 public:
  // The pointers must outlive the gate.
  GpuGate(const RunServices* services, const RunState* state, const StageRunner* runner, int priority);

  // Whether the attempts, which are carried out together, may begin; they get GPUs that they ask for into `begin`. When
  // not, they wait and are to come again soon, or `refused` says why they never will.
  bool Enter(std::vector<BatchItem>* items, Failure* refused);
  // The same, and waits until they may begin or are refused. Throws Error{kUnavailable} when `cancel` is abandoned.
  void Await(std::vector<BatchItem>* items, Failure* refused, const CancelToken& cancel);
  // To be called once they have ended; not when their job goes on without this engine.
  void Leave(const std::vector<BatchItem>& items);
  // For how long an instance has waited, and for what; empty: it does not wait.
  std::string WaitText(const StageInstance& instance);
  // Nobody is free to carry out what waits here.
  void Sleep() { services_.leases->Sleep(state_.run_id()); }

 private:
  // Whose name their GPUs are under: the first one's, or, when an earlier engine started their job, that of whoever led
  // it then. None: it has given them back, and is only collected.
  std::optional<RunContext> LeaderOf(const std::vector<BatchItem>& items) const;
  bool HasWork(const std::vector<BatchItem>& items) const;
  GpuRequest RequestOf(const BatchItem& item, const RunContext& leader, int gpus) const;
  void DropEnded();
  void TellWaiting(const BatchItem& item, int gpus, const std::string& reason);

  const RunServices& services_;
  const RunState& state_;
  const StageRunner& runner_;
  const int priority_;
  std::mutex mutex_;  // guards the next
  struct Told {
    std::string reason;
    SteadyTime since;  // it waits
  };
  std::map<std::string, Told> told_;  // why an attempt waits, by its key
};

// Between two questions for GPUs.
constexpr auto kAskAgain = std::chrono::milliseconds(250);

// What the engine's leases ask about those who hold GPUs.
GpuLeases::Holders HoldersOf(RunStore* store);

}  // namespace cosmos
