#include "run/run_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "run/attempt_end.h"
#include "run/retry_policy.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;

// How often plugins that are over their time are looked for.
constexpr auto kTick = milliseconds(200);

Scheduler::End EndOf(const StageInstance& instance, const InstanceState& state) {
  const bool done = state.status == Status::kSucceeded || state.status == Status::kSkipped ||
                    (state.status == Status::kFailed && instance.continue_on_error);
  return done ? Scheduler::End::kDone : Scheduler::End::kBlocked;
}

}  // namespace

RunEngine::RunEngine(const RunServices* services, RunState* state, StageRunner* runner, GpuGate* gate)
    : services_(*services), state_(*state), runner_(*runner), gate_(*gate), scheduler_(state->plan()) {
  for (std::size_t i = 0; i < state->plan().instances.size(); ++i) {
    const StageInstance& instance = state->plan().instances[i];
    if (instance.max_parallel > 0) {
      Slots& slots = slots_[instance.stage];
      slots.most = static_cast<std::size_t>(instance.max_parallel);
      if (state->Get(i).begun) ++slots.taken;  // its job is there already
    }
    if (instance.batch < 0) continue;
    const auto number = static_cast<std::size_t>(instance.batch);
    if (batches_.size() <= number) batches_.resize(number + 1);
    ++batches_[number].open;
  }
}

RunEnd RunEngine::Run(std::size_t jobs, CancelToken* cancel) {
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    Follow(scheduler_.Begin());
    working_ = std::min(std::max<std::size_t>(jobs, 1), state_.plan().instances.size());
    for (std::size_t i = 0; i < working_; ++i) workers.emplace_back([this, cancel] { DoWork(cancel); });
  }
  AwaitWorkers(*cancel);
  for (std::thread& worker : workers) worker.join();
  if (fatal_ != nullptr) std::rethrow_exception(fatal_);
  CancelRest();
  return Sum();
}

// The calling thread's part: it passes a cancellation on to the plugins and looks after those over their time.
void RunEngine::AwaitWorkers(const CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  bool told = false;
  while (working_ > 0) {
    left_.wait_for(lock, kTick, [this] { return working_ == 0; });
    const bool tell = cancel.cancelled() && !std::exchange(told, cancel.cancelled());
    if (tell) stopping_ = true;
    lock.unlock();
    if (tell) runner_.CancelAll();
    runner_.CancelOverdue(services_.clock->Steady());
    runner_.KeepProgress(services_.clock->Steady());
    lock.lock();
    if (tell) work_.notify_all();
  }
}

void RunEngine::DoWork(CancelToken* cancel) {
  std::unique_lock lock(mutex_);
  while (!stopping_ && !scheduler_.finished()) {
    Work work;
    if (Take(&work)) {
      const bool nobody_left = idle_ == 0 && !queued_.empty() && !queued_.contains(work);
      lock.unlock();
      try {
        if (nobody_left) gate_.Sleep();
        Carry(work, *cancel);
        lock.lock();
      } catch (...) {
        lock.lock();
        // The first is the reason; those that follow say that its thread made them leave.
        if (fatal_ == nullptr) fatal_ = std::current_exception();
        stopping_ = true;
        lock.unlock();
        cancel->Abandon();
        lock.lock();
      }
    } else {
      ++idle_;
      if (waiting_.empty()) {
        work_.wait(lock);
      } else {
        work_.wait_until(lock, waiting_.top().first);
      }
      --idle_;
    }
  }
  --working_;
  work_.notify_all();
  if (working_ == 0) left_.notify_one();
}

bool RunEngine::Take(Work* work) {
  if (!waiting_.empty() && waiting_.top().first <= services_.clock->Steady()) {
    *work = waiting_.top().second;
    waiting_.pop();
    return true;
  }
  if (ready_.empty()) return false;
  *work = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

void RunEngine::Carry(const Work& work, const CancelToken& cancel) {
  std::vector<BatchItem> items;
  Failure refused;
  if (!Admit(work, &items, &refused)) return;
  const std::vector<AttemptEnd> ends = CarryOut(items, refused, cancel);
  // What may still run keeps its GPUs until the run's end.
  if (std::none_of(ends.begin(), ends.end(), [](const AttemptEnd& end) { return end.left_behind; })) gate_.Leave(items);
  // What is tried again in the same way at the same time is tried again together.
  std::map<std::pair<Duration, int>, Work> again;
  for (std::size_t i = 0; i < work.size(); ++i) {
    Duration delay{};
    if (WillRetry(work[i], ends[i], cancel, &delay)) {
      again[{delay, state_.Get(work[i]).out_of_memory}].push_back(work[i]);
    } else {
      Settle(work[i], state_.Get(work[i]));
    }
  }
  const std::lock_guard lock(mutex_);
  Release(items[0].instance->stage, again.size());
  for (auto& [how, together] : again) {
    waiting_.emplace(services_.clock->Steady() + how.first, std::move(together));
    work_.notify_one();
  }
}

bool RunEngine::Admit(const Work& work, std::vector<BatchItem>* items, Failure* refused) {
  for (const std::size_t index : work) items->push_back({&state_.plan().instances[index], state_.Get(index)});
  const bool waits = !gate_.Enter(items, refused) && !*refused;
  {
    const std::lock_guard lock(mutex_);
    if (waits) {
      queued_.insert(work);
      waiting_.emplace(services_.clock->Steady() + kAskAgain, work);
    } else {
      queued_.erase(work);
    }
  }
  for (std::size_t i = 0; i < work.size() && !waits; ++i) {
    (*items)[i].begin.status = Status::kRunning;
    state_.Set(work[i], (*items)[i].begin);
  }
  return !waits;
}

std::vector<AttemptEnd> RunEngine::CarryOut(const std::vector<BatchItem>& items, const Failure& refused,
                                            const CancelToken& cancel) {
  if (refused) {
    std::vector<AttemptEnd> ends;
    for (const BatchItem& item : items) ends.push_back(runner_.Fail(*item.instance, item.begin, refused));
    return ends;
  }
  if (items.size() > 1) return runner_.RunBatch(items, cancel);
  return {runner_.Run(*items[0].instance, items[0].begin, cancel)};
}

bool RunEngine::WillRetry(std::size_t index, const AttemptEnd& end, const CancelToken& cancel, Duration* delay) {
  const StageInstance& instance = state_.plan().instances[index];
  InstanceState state = state_.Get(index);
  state.status = end.status;
  state.failure = end.failure;
  state.outputs = end.outputs;
  const int done = state.attempt - state.first_attempt + 1;
  const bool out_of_memory = end.status == Status::kFailed && end.failure.kind == FailureKind::kCudaOom;
  if (out_of_memory) ++state.out_of_memory;
  state_.Set(index, state);
  if (end.status != Status::kFailed || end.left_behind || cancel.cancelled() ||
      !ShouldRetry(instance, end.failure.kind, done, state.out_of_memory)) {
    return false;
  }
  const OomLadder ladder = LadderOf(instance, state.out_of_memory);
  const std::string change = out_of_memory && !ladder.steps.empty() ? ladder.steps.back() : "";
  // What is changed need not wait for the machine to recover.
  *delay = change.empty() ? RetryDelay(instance.retry, done) : Duration(0);
  RunContext context = ContextOfRun(state_);
  context.stage = instance.stage;
  context.instance = instance.instance;
  context.attempt = state.attempt;
  services_.bus->Publish(context, StageRetrying{end.failure, state.attempt + 1, *delay, change});
  InstanceState next;
  next.status = Status::kRetrying;
  next.attempt = state.attempt + 1;
  next.first_attempt = state.first_attempt;
  next.out_of_memory = state.out_of_memory;
  state_.Set(index, next);
  return true;
}

void RunEngine::Settle(std::size_t index, InstanceState state) {
  state_.Set(index, state);
  const std::lock_guard lock(mutex_);
  Follow(scheduler_.Ended(index, EndOf(state_.plan().instances[index], state)));
  if (scheduler_.finished()) work_.notify_all();
}

void RunEngine::Follow(const Scheduler::Step& first) {
  std::vector<Scheduler::Step> steps = {first};
  while (!steps.empty()) {
    const Scheduler::Step step = std::move(steps.back());
    steps.pop_back();
    for (const std::size_t index : step.blocked) {
      Skip(index, "a stage that it needs did not succeed");
      Arrive(index, false);
    }
    for (const std::size_t index : step.ready) {
      const InstanceState state = state_.Get(index);
      if (IsEnd(state.status)) {  // it ended when an earlier engine carried the run out
        Arrive(index, false);
        steps.push_back(scheduler_.Ended(index, EndOf(state_.plan().instances[index], state)));
        continue;
      }
      if (!state.begun) runner_.TellReady(state_.plan().instances[index], state);
      Arrive(index, true);
    }
  }
}

void RunEngine::Arrive(std::size_t index, bool ready) {
  const int number = state_.plan().instances[index].batch;
  Work work;
  if (number < 0) {
    if (ready) work = {index};
  } else {
    Batch& batch = batches_[static_cast<std::size_t>(number)];
    if (ready) batch.ready.push_back(index);
    if (--batch.open == 0) work = std::move(batch.ready);
  }
  if (!work.empty()) Enqueue(std::move(work));
}

void RunEngine::Enqueue(Work work) {
  const auto slots = slots_.find(state_.plan().instances[work[0]].stage);
  if (slots != slots_.end() && !state_.Get(work[0]).begun) {
    if (slots->second.taken >= slots->second.most) {
      slots->second.held.push_back(std::move(work));
      return;
    }
    ++slots->second.taken;
  }
  ready_.push_back(std::move(work));
  work_.notify_one();
}

void RunEngine::Release(const std::string& stage, std::size_t left) {
  const auto found = slots_.find(stage);
  if (found == slots_.end()) return;
  Slots& slots = found->second;
  slots.taken = slots.taken - 1 + left;
  for (; !slots.held.empty() && slots.taken < slots.most; ++slots.taken) {
    ready_.push_back(std::move(slots.held.front()));
    slots.held.pop_front();
    work_.notify_one();
  }
}

void RunEngine::Skip(std::size_t index, const std::string& reason) {
  InstanceState state = state_.Get(index);
  const bool known = state.status == Status::kSkipped;
  state.status = Status::kSkipped;
  state_.Set(index, state);
  if (!known) runner_.EndWithoutRun(state_.plan().instances[index], state, reason);
}

void RunEngine::CancelRest() {
  for (std::size_t i = 0; i < state_.plan().instances.size(); ++i) {
    InstanceState state = state_.Get(i);
    if (IsEnd(state.status)) continue;
    state.status = Status::kCancelled;
    state_.Set(i, state);
    const std::string waited = gate_.WaitText(state_.plan().instances[i]);
    runner_.EndWithoutRun(state_.plan().instances[i], state,
                          kRunCancelled + (waited.empty() ? "" : " after " + waited));
  }
}

RunEnd RunEngine::Sum() const {
  RunEnd end;
  std::size_t more = 0;
  const std::vector<InstanceState> states = state_.All();
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].status == Status::kCancelled) end.status = Status::kCancelled;
    if (states[i].status != Status::kFailed || state_.plan().instances[i].is_tolerated()) continue;
    if (end.failure) {
      ++more;
    } else {
      end.failure = states[i].failure;
    }
  }
  if (more > 0) end.failure.message += fmt::format(" (and {} more failed)", more);
  if (end.status == Status::kCancelled) {
    end.failure = {FailureKind::kCancelled, kRunCancelled};
  } else if (end.failure) {
    end.status = Status::kFailed;
  }
  return end;
}

}  // namespace cosmos
