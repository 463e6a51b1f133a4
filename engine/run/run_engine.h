#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "run/gpu/gpu_gate.h"
#include "run/run_services.h"
#include "run/run_state.h"
#include "run/scheduler.h"
#include "run/stage_runner.h"

namespace cosmos {

struct RunEnd {
  Status status = Status::kSucceeded;  // succeeded, failed or cancelled
  Failure failure;
  std::string undiagnosed;  // why a failed run could not be diagnosed; empty: it was, or was not to be
};

// Carries out the graph of a checked workflow: `jobs` threads take what is ready, retries wait their time, and what
// cannot run any more is skipped. The rules:
//  - a stage that failed for good (or was cancelled) stops what needs it, and nothing else;
//  - a stage whose `when` is false is skipped, and what needs it runs all the same;
//  - `continue_on_error` turns a failure into an end like any other;
//  - what waits for GPUs keeps no thread from other work, and nobody else from the GPUs while no thread is free for it.
// Used by one thread, once.
class RunEngine {
 public:
  // The pointers must outlive the engine.
  RunEngine(const RunServices* services, RunState* state, StageRunner* runner, GpuGate* gate);

  // Returns when every stage has ended. `cancel` ends it in order. Throws what made it impossible to go on (the store);
  // jobs then go on by themselves, for another engine to find.
  RunEnd Run(std::size_t jobs, CancelToken* cancel);

 private:
  using Work = std::vector<std::size_t>;  // instances that are carried out together; mostly one
  using Timer = std::pair<SteadyTime, Work>;
  // Instances that wait for each other, as they are to share a job.
  struct Batch {
    std::size_t open = 0;  // of which it is not known yet whether they will run
    Work ready;
  };

  // How many works of a stage with `max_parallel` may be at work at once; those for which there is no room are held.
  struct Slots {
    std::size_t most = 0;
    std::size_t taken = 0;
    std::deque<Work> held;
  };

  void DoWork(CancelToken* cancel);
  // REQUIRES: mutex_ is held. What is to be done next, or false when there is nothing now.
  bool Take(Work* work);
  // Carries the work out, or leaves it waiting for GPUs.
  void Carry(const Work& work, const CancelToken& cancel);
  // Whether it may begin now, with its GPUs in `items`, or was `refused` them.
  bool Admit(const Work& work, std::vector<BatchItem>* items, Failure* refused);
  std::vector<AttemptEnd> CarryOut(const std::vector<BatchItem>& items, const Failure& refused,
                                   const CancelToken& cancel);
  // Takes note of how an attempt ended. True when there is to be another one, after `delay`; state_ knows it then.
  bool WillRetry(std::size_t index, const AttemptEnd& end, const CancelToken& cancel, Duration* delay);
  // REQUIRES: mutex_ is held. The instance may run now, or, when not `ready`, never will.
  void Arrive(std::size_t index, bool ready);
  // REQUIRES: mutex_ is held. Makes work ready, or holds it until its stage has room.
  void Enqueue(Work work);
  // REQUIRES: mutex_ is held. What was one work of the stage has ended, but for `left` works that go on.
  void Release(const std::string& stage, std::size_t left);
  void Settle(std::size_t index, InstanceState state);
  void Follow(const Scheduler::Step& step);
  void Skip(std::size_t index, const std::string& reason);
  void AwaitWorkers(const CancelToken& cancel);
  void CancelRest();
  RunEnd Sum() const;

  const RunServices& services_;
  RunState& state_;
  StageRunner& runner_;
  GpuGate& gate_;
  std::mutex mutex_;              // guards all that follows
  std::condition_variable work_;  // for the workers: there may be something to take, or nothing any more
  std::condition_variable left_;  // for the calling thread: the last worker has ended
  Scheduler scheduler_;
  std::deque<Work> ready_;
  std::vector<Batch> batches_;          // by StageInstance::batch
  std::map<std::string, Slots> slots_;  // by stage; of those with a limit
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>>
      waiting_;              // for when they may start: retries, and what is queued
  std::set<Work> queued_;    // what waits for GPUs
  std::size_t working_ = 0;  // threads that have not ended
  std::size_t idle_ = 0;     // of them, those with nothing to do
  bool stopping_ = false;
  std::exception_ptr fatal_;
};

}  // namespace cosmos
