#include "run/scheduler.h"

namespace cosmos {

Scheduler::Scheduler(const Plan& plan)
    : dependents_(plan.instances.size()),
      missing_(plan.instances.size()),
      blocked_(plan.instances.size()),
      after_failure_(plan.instances.size()),
      shields_(plan.instances.size()),
      left_(plan.instances.size()) {
  for (std::size_t i = 0; i < plan.instances.size(); ++i) {
    missing_[i] = plan.instances[i].needs.size();
    after_failure_[i] = plan.instances[i].after_failure;
    shields_[i] = plan.instances[i].ends_workflow && plan.instances[i].continue_on_error;
    for (const std::size_t need : plan.instances[i].needs) dependents_[need].push_back(i);
  }
}

Scheduler::Step Scheduler::Begin() {
  Step step;
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    if (missing_[i] == 0) step.ready.push_back(i);
  }
  return step;
}

Scheduler::Step Scheduler::Ended(std::size_t index, End end) {
  Step step;
  --left_;
  if (end == End::kBlocked) {
    for (const std::size_t dependent : dependents_[index]) Block(dependent, &step);
    return step;
  }
  Release(index, &step);
  return step;
}

void Scheduler::Release(std::size_t index, Step* step) {
  for (const std::size_t dependent : dependents_[index]) {
    if (--missing_[dependent] == 0 && !blocked_[dependent]) step->ready.push_back(dependent);
  }
}

void Scheduler::Block(std::size_t index, Step* step) {
  std::vector<std::size_t> waiting = {index};
  while (!waiting.empty()) {
    const std::size_t next = waiting.back();
    waiting.pop_back();
    if (blocked_[next]) continue;
    if (after_failure_[next]) {
      if (--missing_[next] == 0) step->ready.push_back(next);
      continue;
    }
    blocked_[next] = true;
    --left_;
    step->blocked.push_back(next);
    if (shields_[next]) {
      Release(next, step);
      continue;
    }
    waiting.insert(waiting.end(), dependents_[next].begin(), dependents_[next].end());
  }
}

}  // namespace cosmos
