#include "run/stage_runner.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.h"
#include "core/ids.h"
#include "core/text.h"
#include "event/span.h"
#include "run/mask_json.h"
#include "run/retry_policy.h"
#include "run/stage_task.h"
#include "workflow/expression.h"

namespace cosmos {
namespace {

using nlohmann::json;

// Thrown when the engine itself cannot go on: the attempt has not ended, and must not be recorded as if it had.
struct Abandoned {
  std::string reason;
};

constexpr std::size_t kMostMessage = 1000;

// What an error of the engine means for the attempt that met it.
FailureKind KindOf(const Error& error) {
  if (error.code() == ErrorCode::kInvalidInput) return FailureKind::kInvalidInput;
  const bool disk_full = error.code() == ErrorCode::kIo && error.message().find("No space left") != std::string::npos;
  return disk_full ? FailureKind::kDiskFull : FailureKind::kPluginError;
}

std::map<std::string, std::string> Variables(const json& env) {
  std::map<std::string, std::string> variables;
  for (const auto& [name, value] : env.items())
    variables[name] = value.is_string() ? value.get<std::string>() : value.dump();
  return variables;
}

}  // namespace

// The store's record of one attempt, written by the store's own thread in the order of the calls.
class StageRunner::Record {
 public:
  Record(StoreWriter* store, Clock* clock, const RunContext& context, const StageInstance& instance,
         std::int64_t started_at)
      : store_(store), clock_(clock) {
    record_.run_id = context.run_id;
    record_.stage = context.stage;
    record_.instance = context.instance;
    record_.attempt = context.attempt;
    record_.uses = instance.uses;
    record_.target = instance.target;
    record_.prompt_id = context.prompt_id;
    record_.prompt_name = context.prompt_name;
    record_.operation_id = context.operation_id;
    record_.started_at = started_at != 0 ? started_at : UnixMilliseconds(clock->Wall());
  }

  std::int64_t started_at() const { return record_.started_at; }
  void SetPrompt(const std::string& prompt_id) { record_.prompt_id = prompt_id; }

  void Begin(Status status) {
    record_.status = ToString(status);
    store_->Write(Put());
  }

  // The change that says that the stage's job runs and logs to `log_path`; to be committed with the job's handle.
  StoreWriter::Change Running(const std::string& log_path) const {
    StageRecord running = record_;
    running.log_path = log_path;
    running.status = ToString(Status::kRunning);
    return [put = Put(running), run_id = record_.run_id, log_path](RunStore& store) {
      put(store);
      store.SetRunLogPath(run_id, log_path);
    };
  }

  void End(const AttemptEnd& end, const Masker& masker) {
    record_.status = ToString(end.status);
    record_.failure_kind = ToString(end.failure.kind);
    record_.error_message = TruncateUtf8(end.failure.message, kMostMessage);
    record_.log_path = end.log_path;
    if (end.status == Status::kSucceeded) record_.outputs = MaskJson(end.outputs, masker).dump();
    record_.ended_at = UnixMilliseconds(clock_->Wall());
    store_->Write(Put());
  }

 private:
  StoreWriter::Change Put() const { return Put(record_); }
  StoreWriter::Change Put(const StageRecord& record) const {
    // Only the store's thread touches `id`.
    return [record, id = id_](RunStore& store) {
      StageRecord copy = record;
      copy.id = *id;
      store.PutStage(&copy);
      *id = copy.id;
    };
  }

  StoreWriter* const store_;
  Clock* const clock_;
  StageRecord record_;
  const std::shared_ptr<std::uint64_t> id_ = std::make_shared<std::uint64_t>(0);
};

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
  Record(services_.store, services_.clock, context, instance, 0).End(end, *services_.masker);
  services_.logger->Log(LogLevel::kInfo, context, std::string(ToString(state.status)) + ": " + reason);
  if (state.status == Status::kCancelled) {
    services_.bus->Publish(context, StageCancelled{});
  } else {
    services_.bus->Publish(context, StageSkipped{reason});
  }
}

AttemptEnd StageRunner::Run(const StageInstance& instance, const InstanceState& begin, const CancelToken& cancel) {
  try {
    if (!WhenHolds(instance, begin)) {
      InstanceState skipped = begin;
      skipped.status = Status::kSkipped;
      EndWithoutRun(instance, skipped, "its condition `" + instance.when + "` is false");
      AttemptEnd end;
      end.status = Status::kSkipped;
      return end;
    }
  } catch (const Error& error) {
    return Attempt(instance, begin, [&](const RunContext&, Record*) -> AttemptEnd {
      throw Error(ErrorCode::kInvalidInput, "its condition `" + instance.when + "`: " + error.message());
    });
  }
  return Attempt(instance, begin, [&](const RunContext& context, Record* record) {
    AttemptEnd end = Work(instance, begin, context, record, cancel);
    if (cancel.abandoned()) throw Abandoned{"the engine gave the stage up; its job goes on"};
    return end;
  });
}

bool StageRunner::WhenHolds(const StageInstance& instance, const InstanceState& begin) const {
  if (instance.when.empty() || begin.begun || begin.attempt != begin.first_attempt) return true;
  return EvaluateCondition(instance.when, StageScope(&state_, &instance, &secrets_));
}

AttemptEnd StageRunner::Attempt(const StageInstance& instance, const InstanceState& begin,
                                const std::function<AttemptEnd(const RunContext& context, Record* record)>& work) {
  const RunContext context = ContextOf(instance, begin);
  Record record(services_.store, services_.clock, context, instance, begin.started_at);
  StageSpan span(services_.bus, context, {instance.uses, instance.target}, begin.start_published);
  AttemptEnd end;
  try {
    end = work(context, &record);
  } catch (const Abandoned& abandoned) {
    throw Error(ErrorCode::kUnavailable, "stage '" + context.key() + "': " + abandoned.reason,
                "`cosmos-engine resume " + context.run_id + "` goes on with the run");
  } catch (const Error& error) {
    end.failure = {KindOf(error), error.what()};
  } catch (const std::exception& error) {
    end.failure = {FailureKind::kPluginError, error.what()};
  }
  if (end.failure) {
    end.status = end.failure.kind == FailureKind::kCancelled ? Status::kCancelled : Status::kFailed;
    end.failure.message = services_.masker->Mask("stage '" + context.key() + "' " + std::string(ToString(end.status)) +
                                                 ": " + end.failure.message);
    services_.logger->Log(LogLevel::kError, context, end.failure.message);
  }
  record.End(end, *services_.masker);
  if (end.status == Status::kSucceeded) {
    span.End(StageFinished{MaskJson(end.outputs, *services_.masker)});
  } else if (end.status == Status::kCancelled) {
    span.End(StageCancelled{});
  } else {
    span.End(StageFailed{end.failure});
  }
  return end;
}

AttemptEnd StageRunner::Work(const StageInstance& instance, const InstanceState& begin, const RunContext& run_context,
                             Record* record, const CancelToken& cancel) {
  RunContext context = run_context;
  const OomLadder ladder = LadderOf(instance, begin.out_of_memory);
  PluginLibrary& library = services_.plugins->Get(instance.uses);
  const std::vector<std::string>& services = library.facts().required_services;
  const bool starts_job = std::find(services.begin(), services.end(), "cosmos.job/1") != services.end();
  record->Begin(starts_job ? Status::kStarting : Status::kRunning);
  const StageScope scope(&state_, &instance, &secrets_);
  const json parameters = library.Checker().Checked(Resolve(instance.with, scope));
  if (parameters.contains("prompt") && parameters["prompt"].is_string()) {
    context.prompt_id =
        KeepPrompt(services_.store, services_.clock,
                   {{"text", parameters["prompt"]}, {"negative_prompt", parameters.value("negative_prompt", "")}});
    record->SetPrompt(context.prompt_id);
  }
  StageTask::Order order{context,
                         &instance,
                         &library.facts(),
                         Variables(Resolve(instance.env, scope)),
                         ladder.gpus,
                         std::nullopt,
                         state_.plan().max_log_bytes,
                         {}};
  if (instance.timeout) order.deadline = FromUnixMilliseconds(record->started_at()) + *instance.timeout;
  order.running = record->Running(services_.paths->StageLog(library.facts(), context));
  StageTask task(&services_, order, &cancel);
  const auto plugin = std::make_shared<StagePlugin>(&library);
  const StageResult result =
      CallPlugin(plugin, &task, {context, parameters, ladder.gpus, ladder.steps}, order.deadline);
  if (!task.lost().empty()) throw Abandoned{task.lost()};
  AttemptEnd end;
  end.failure = result.failure;
  end.outputs = result.outputs;
  end.log_path = task.FinishLog();
  return end;
}

StageResult StageRunner::CallPlugin(const std::shared_ptr<StagePlugin>& plugin, TaskHost* task, const StageCall& call,
                                    std::optional<WallTime> deadline) {
  std::list<Active>::iterator active;
  {
    const std::lock_guard lock(mutex_);
    active = active_.insert(active_.end(), {plugin, deadline, false});
  }
  StageResult result = plugin->Run(task, call);
  const std::lock_guard lock(mutex_);
  // A plugin that was asked to stop because its time was over was not cancelled by anybody.
  if (active->overdue && result.failure) {
    result.failure = {FailureKind::kTimeout, "the stage's time was over; it ended with: " + result.failure.message};
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

void StageRunner::CancelOverdue(WallTime now) {
  std::vector<std::shared_ptr<StagePlugin>> plugins;
  {
    const std::lock_guard lock(mutex_);
    for (Active& active : active_) {
      if (!active.deadline || now < *active.deadline) continue;
      active.overdue = true;
      plugins.push_back(active.plugin);
    }
  }
  for (const auto& plugin : plugins) plugin->Cancel();
}

}  // namespace cosmos
