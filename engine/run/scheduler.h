#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workflow/plan.h"

namespace cosmos {

// Which stage instance may start when: the graph's side of a run, without clocks, threads or I/O. Instances are indices
// into Plan::instances. Not thread-safe.
class Scheduler {
 public:
  // How an instance ended, as far as those that need it are concerned.
  enum class End {
    kDone,     // succeeded; or its `when` was false, or it failed and `continue_on_error` is set
    kBlocked,  // failed or cancelled: nothing that needs it can run, but for what runs after failures
  };
  struct Step {
    std::vector<std::size_t> ready;    // may start now
    std::vector<std::size_t> blocked;  // will never start, because of what ended
  };

  explicit Scheduler(const Plan& plan);

  // Those that need nothing. To be called once, first.
  Step Begin();
  // `index` has ended; gives what follows from it. Each instance is given at most once in all steps.
  Step Ended(std::size_t index, End end);
  // Whether every instance has ended or is blocked.
  bool finished() const { return left_ == 0; }

 private:
  // Those that need `index` wait for it no longer.
  void Release(std::size_t index, Step* step);
  void Block(std::size_t index, Step* step);

  std::vector<std::vector<std::size_t>> dependents_;
  std::vector<std::size_t> missing_;  // needs that have not ended yet
  std::vector<bool> blocked_;
  std::vector<bool> after_failure_;  // a need that is blocked counts like one that is done
  std::vector<bool> shields_;  // when it is blocked, those that need it go on: a workflow whose failure is tolerated
  std::size_t left_;
};

}  // namespace cosmos
