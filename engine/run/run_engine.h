#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "run/run_services.h"
#include "run/run_state.h"
#include "run/scheduler.h"
#include "run/stage_runner.h"

namespace cosmos {

struct RunEnd {
  Status status = Status::kSucceeded;  // succeeded, failed or cancelled
  Failure failure;
};

// Carries out the graph of a checked workflow: `jobs` threads take what is ready, retries wait their time, and what
// cannot run any more is skipped. The rules:
//  - a stage that failed for good (or was cancelled) stops what needs it, and nothing else;
//  - a stage whose `when` is false is skipped, and what needs it runs all the same;
//  - `continue_on_error` turns a failure into an end like any other.
// Used by one thread, once.
class RunEngine {
 public:
  // The pointers must outlive the engine.
  RunEngine(const RunServices* services, RunState* state, StageRunner* runner);

  // Returns when every stage has ended. `cancel` ends it in order. Throws what made it impossible to go on (the store);
  // jobs then go on by themselves, for another engine to find.
  RunEnd Run(std::size_t jobs, CancelToken* cancel);

 private:
  using Timer = std::pair<SteadyTime, std::size_t>;

  void Work(CancelToken* cancel);
  // REQUIRES: mutex_ is held. The next instance to run, or false when there is none now.
  bool Take(std::size_t* index);
  bool Idle() const;  // REQUIRES: mutex_ is held.
  void Carry(std::size_t index, const CancelToken& cancel);
  void Settle(std::size_t index, InstanceState state);
  void Follow(const Scheduler::Step& step);
  void Skip(std::size_t index, const std::string& reason);
  void AwaitWorkers(const CancelToken& cancel);
  void CancelRest();
  RunEnd Sum() const;

  const RunServices& services_;
  RunState& state_;
  StageRunner& runner_;
  std::mutex mutex_;              // guards all that follows
  std::condition_variable work_;  // for the workers: there may be something to take, or nothing any more
  std::condition_variable left_;  // for the calling thread: the last worker has ended
  Scheduler scheduler_;
  std::deque<std::size_t> ready_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> waiting_;  // retries, and when they may start
  std::size_t working_ = 0;                                                 // threads that have not ended
  bool stopping_ = false;
  std::exception_ptr fatal_;
};

// The context of events and lines that concern the run as a whole.
RunContext ContextOfRun(const RunState& state);

}  // namespace cosmos
