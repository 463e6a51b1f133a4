#include "run/stage_runner.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.h"
#include "core/ids.h"
#include "core/json_values.h"
#include "core/text.h"
#include "run/retry_policy.h"
#include "run/stage_task.h"
#include "workflow/expression.h"

namespace cosmos {
namespace {

using nlohmann::json;

}  // namespace

StageRunner::StageRunner(const RunServices* services, const RunState* state, const Secrets* secrets,
                         std::string prompt_id)
    : services_(*services), state_(*state), secrets_(*secrets), prompt_id_(std::move(prompt_id)) {}

RunContext StageRunner::ContextOf(const StageInstance& instance, const InstanceState& begin) const {
  RunContext context;
  context.run_id = state_.run_id();
  context.workflow = state_.plan().name;
  context.prompt_name = instance.prompt_name;
  context.prompt_id = prompt_id_;
  context.operation_id = begin.operation_id.empty() ? NewOperationId() : begin.operation_id;
  context.stage = instance.stage;
  context.instance = instance.instance;
  context.attempt = begin.attempt;
  return context;
}

void StageRunner::TellReady(const StageInstance& instance, const InstanceState& state) {
  services_.bus->Publish(ContextOf(instance, state), StageReady{});
}

void StageRunner::EndWithoutRun(const StageInstance& instance, const InstanceState& state, const std::string& reason) {
  RunContext context = ContextOf(instance, state);
  context.operation_id.clear();  // there was no operation
  AttemptEnd end;
  end.status = state.status;
  end.failure.message = reason;
  AttemptRecord record(services_.store, services_.clock, context, instance, 0);
  record.End(end, *services_.masker);
  services_.logger->Log(LogLevel::kInfo, context, std::string(ToString(state.status)) + ": " + reason);
  if (state.status == Status::kCancelled) {
    services_.bus->Publish(context, StageCancelled{record.Facts()});
  } else {
    services_.bus->Publish(context, StageSkipped{reason, record.Facts()});
  }
}

AttemptEnd StageRunner::Run(const StageInstance& instance, const InstanceState& begin, const CancelToken& cancel) {
  try {
    if (!WhenHolds(instance, begin)) {
      InstanceState skipped = begin;
      skipped.status = Status::kSkipped;
      EndWithoutRun(instance, skipped, "its condition `" + instance.when_as_written + "` is false");
      AttemptEnd end;
      end.status = Status::kSkipped;
      return end;
    }
  } catch (const Error& error) {
    return Attempt(instance, begin, [&](OpenAttempt*) -> AttemptEnd {
      throw Error(ErrorCode::kInvalidInput, "its condition `" + instance.when_as_written + "`: " + error.message());
    });
  }
  return Attempt(instance, begin, [&](OpenAttempt* attempt) {
    AttemptEnd end = Work(instance, begin, attempt, cancel);
    if (cancel.abandoned()) throw Abandoned{"the engine gave the stage up; its job goes on"};
    return end;
  });
}

AttemptEnd StageRunner::Fail(const StageInstance& instance, const InstanceState& begin, const Failure& failure) {
  return Attempt(instance, begin, [&](OpenAttempt*) {
    AttemptEnd end;
    end.failure = failure;
    return end;
  });
}

bool StageRunner::HasWork(const StageInstance& instance, const InstanceState& begin) const {
  try {
    return WhenHolds(instance, begin);
  } catch (const Error&) {
    return false;
  }
}

bool StageRunner::WhenHolds(const StageInstance& instance, const InstanceState& begin) const {
  if (instance.when.empty() || begin.begun || begin.attempt != begin.first_attempt) return true;
  return EvaluateCondition(instance.when, StageScope(&state_, &instance, &secrets_));
}

AttemptEnd StageRunner::Attempt(const StageInstance& instance, const InstanceState& begin,
                                const std::function<AttemptEnd(OpenAttempt* attempt)>& work) {
  OpenAttempt attempt(&services_, ContextOf(instance, begin), instance, begin);
  AttemptEnd end;
  try {
    end = work(&attempt);
  } catch (const Abandoned& abandoned) {
    Leave(attempt.context(), abandoned);
  } catch (const std::exception& error) {
    end.failure = FailureOf(error);
  }
  return attempt.Close(std::move(end));
}

void StageRunner::Leave(const RunContext& context, const Abandoned& abandoned) {
  throw Error(ErrorCode::kUnavailable, "stage '" + context.key() + "': " + abandoned.reason,
              "`cosmos-engine resume " + context.run_id + "` goes on with the run");
}

StageRunner::Prepared StageRunner::Prepare(const StageInstance& instance, const InstanceState& begin,
                                           OpenAttempt* attempt) {
  PluginLibrary& library = services_.plugins->Get(instance.uses);
  const std::vector<std::string>& services = library.facts().required_services;
  const bool starts_job = std::find(services.begin(), services.end(), "cosmos.job/1") != services.end();
  attempt->Begin(starts_job ? Status::kStarting : Status::kRunning);
  const StageScope scope(&state_, &instance, &secrets_);
  const OomLadder ladder = LadderOf(instance, begin.out_of_memory);
  Prepared prepared;
  prepared.call = {attempt->context(), ParametersOf(instance), ladder.gpus, ladder.steps, begin.begun};
  const json& parameters = prepared.call.parameters;
  if (parameters.contains("prompt") && parameters["prompt"].is_string()) {
    attempt->SetPrompt(
        KeepPrompt(services_.store, services_.clock, *services_.masker,
                   {{"text", parameters["prompt"]}, {"negative_prompt", parameters.value("negative_prompt", "")}}));
    prepared.call.context = attempt->context();
  }
  StageTask::Order& order = prepared.order;
  order.context = prepared.call.context;
  order.instance = &instance;
  order.plugin = &library.facts();
  order.env = PlainMembers(Resolve(instance.env, scope));
  order.gpus = ladder.gpus;
  order.leased = begin.gpus;
  order.resumed = begin.begun;
  order.max_log_bytes = state_.plan().max_log_bytes;
  order.timeout = instance.timeout;
  order.begun = services_.clock->Steady();
  order.running = attempt->Running(services_.paths->StageLog(library.facts(), order.context));
  return prepared;
}

AttemptEnd StageRunner::Work(const StageInstance& instance, const InstanceState& begin, OpenAttempt* attempt,
                             const CancelToken& cancel) {
  const Prepared prepared = Prepare(instance, begin, attempt);
  const auto task = std::make_shared<StageTask>(&services_, prepared.order, &cancel);
  Watch(task);
  const auto plugin = std::make_shared<StagePlugin>(&services_.plugins->Get(instance.uses));
  const StageResult result = CallPlugin(plugin, task, prepared);
  if (!task->lost().empty()) throw Abandoned{task->lost()};
  AttemptEnd end;
  end.failure = result.failure;
  end.outputs = result.outputs;
  end.log_path = task->FinishLog();
  end.progress = task->progress();
  end.left_behind = task->LeftBehind();
  return end;
}

json StageRunner::ParametersOf(const StageInstance& instance) const {
  return services_.plugins->Get(instance.uses)
      .Checker()
      .Checked(Resolve(instance.with, StageScope(&state_, &instance, &secrets_)));
}

StageResult StageRunner::CallPlugin(const std::shared_ptr<StagePlugin>& plugin, const std::shared_ptr<StageTask>& task,
                                    const Prepared& prepared) {
  const std::optional<Duration>& timeout = prepared.order.timeout;
  std::list<Active>::iterator active;
  {
    const std::lock_guard lock(mutex_);
    const auto deadline = timeout ? std::optional(prepared.order.begun + *timeout) : std::nullopt;
    active = active_.insert(active_.end(), {plugin, task, deadline, false});
  }
  StageResult result = plugin->Run(task.get(), prepared.call);
  const std::lock_guard lock(mutex_);
  // A plugin that was asked to stop because its time was over was not cancelled by anybody.
  if (active->overdue && result.failure && !task->JobFailed()) {
    result.failure = {FailureKind::kTimeout,
                      "timed out after " + FormatDuration(*timeout) + "; it ended with: " + result.failure.message};
  }
  active_.erase(active);
  return result;
}

void StageRunner::CancelAll() {
  std::vector<std::shared_ptr<StagePlugin>> plugins;
  {
    const std::lock_guard lock(mutex_);
    for (const Active& active : active_) plugins.push_back(active.plugin);
  }
  for (const auto& plugin : plugins) plugin->Cancel();
}

void StageRunner::Watch(const std::shared_ptr<StageTask>& task) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tasks_, [](const std::weak_ptr<StageTask>& other) { return other.expired(); });
  tasks_.push_back(task);
}

void StageRunner::KeepProgress(SteadyTime now) {
  std::vector<std::weak_ptr<StageTask>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks = tasks_;
  }
  try {
    for (const std::weak_ptr<StageTask>& watched : tasks) {
      if (const auto task = watched.lock()) task->KeepProgress(now);
    }
  } catch (const Error&) {  // the store has failed, which those at work are told by what matters more
  }
}

void StageRunner::CancelOverdue(SteadyTime now) {
  std::vector<std::shared_ptr<StagePlugin>> plugins;
  {
    const std::lock_guard lock(mutex_);
    for (Active& active : active_) {
      if (!active.deadline || now < *active.deadline || active.task->JobRuns()) continue;
      active.overdue = true;
      plugins.push_back(active.plugin);
    }
  }
  for (const auto& plugin : plugins) plugin->Cancel();
}

}  // namespace cosmos
