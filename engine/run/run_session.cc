#include "run/run_session.h"

#include <chrono>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/ids.h"
#include "core/json_values.h"
#include "event/journal.h"
#include "log/run_logger.h"
#include "run/diagnosis/diagnosis.h"
#include "run/gpu/gpu_gate.h"
#include "run/gpu/gpu_samples.h"
#include "run/hook_runner.h"
#include "run/mask_json.h"
#include "run/metrics/metrics_file.h"
#include "run/new_folder.h"
#include "run/recovery.h"
#include "run/run_lock.h"
#include "run/run_log_path.h"
#include "run/stage_task.h"
#include "run/targets/command_log.h"
#include "run/targets/connection_events.h"
#include "run/targets/target_set.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr auto kLongestToReach = std::chrono::seconds(10);  // before anything is executed
constexpr auto kForEver = Duration::max();                  // when jobs may go on there

struct DiscardAtEnd {
  NewFolder* folder;
  ~DiscardAtEnd() { folder->Discard(); }
};

struct CloseAtEnd {
  EventBus* bus;
  ~CloseAtEnd() { bus->Close(); }
};

std::set<std::string> TargetsOf(const Plan& plan) {
  std::set<std::string> names;
  for (const auto* list : {&plan.instances, &plan.on_failure, &plan.on_success, &plan.on_exit}) {
    for (const StageInstance& instance : *list) names.insert(instance.target);
  }
  return names;
}

// The parts of one run, made in the order in which they depend on each other.
class Session {
 public:
  // `secrets` and `masker` must outlive the session.
  Session(const RunOrder& order, const Secrets* secrets, const Masker* masker, RunStore* store,
          const Catalogue* plugins, Clock* clock, CancelToken* cancel);

  RunEnd Run();

 private:
  // The run's own folder, with the lock in it.
  RunPaths MakePaths();
  std::vector<InstanceState> BeginStates() const;
  // Null when none is asked for.
  std::unique_ptr<MetricsFile> MakeMetricsFile();
  void KeepRunRecord();
  void KeepInputs(const RunRecord& record);
  std::string PromptOf(const char* param) const;
  void TellBegin();
  void RunHandlers(const RunEnd& end, StageRunner* runner, GpuGate* gate);
  void KeepEnd(const RunFinished& end);
  InspectionSources MakeSources(const Catalogue* plugins);
  // Why it could not be done, or "".
  std::string DiagnoseIfFailed(const RunEnd& end);

  const RunOrder& order_;
  RunStore& store_;
  Clock& clock_;
  CancelToken& cancel_;
  const Secrets& secrets_;
  const Masker& masker_;
  NewFolder folder_;  // of a new run, until it has begun
  const RunPaths paths_;
  const RunLock lock_;
  const DiscardAtEnd discard_{&folder_};  // while the lock is held, and when log and journal are closed
  CommandLog commands_;
  RunLogger logger_;
  Journal journal_;
  const History history_;
  StoreWriter writer_;
  EventBus bus_;
  JobRunner jobs_;
  RunState state_;
  ConnectionEvents connections_;
  const TargetSet targets_;
  const GpuCache gpu_cache_;
  GpuLeases leases_;
  const InspectionSources inspection_;
  const RunServices services_;
  GpuSamples samples_;
  std::string prompt_id_;
  const SteadyTime begun_;
  std::int64_t started_at_ = 0;  // of the run, by an earlier engine even
  std::int64_t retried_at_ = 0;  // 0: never
};

Session::Session(const RunOrder& order, const Secrets* secrets, const Masker* masker, RunStore* store,
                 const Catalogue* plugins, Clock* clock, CancelToken* cancel)
    : order_(order),
      store_(*store),
      clock_(*clock),
      cancel_(*cancel),
      secrets_(*secrets),
      masker_(*masker),
      paths_(MakePaths()),
      lock_(paths_.lock()),
      commands_(paths_.commands(), &masker_),
      logger_(paths_.engine_log(), &masker_, order.verbose),
      journal_(paths_.journal()),
      history_(store->StagesOf(order.run_id), paths_.journal(), order.inputs.first_attempts),
      writer_(store),
      bus_(clock, journal_.last_seq(), &masker_),
      jobs_(&writer_, &bus_, &logger_, &masker_, clock),
      state_(&order.plan, order.run_id, order.output_dir, BeginStates()),
      connections_(&bus_, ContextOfRun(state_)),
      targets_(
          order.plan.targets, TargetsOf(order.plan), cancel,
          [this](const std::string& target, const ConnectionChange& change) { connections_.OnChange(target, change); },
          &commands_),
      gpu_cache_(order.cache_folder),
      leases_(store, clock, gpu_cache_, HoldersOf(store)),
      inspection_(MakeSources(plugins)),
      services_{clock,        &logger_,
                &masker_,     &bus_,
                &writer_,     store,
                plugins,      &jobs_,
                &leases_,     &samples_,
                &paths_,      &targets_.by_name(),
                &inspection_, order.inputs.owner},
      samples_(&services_, &gpu_cache_, &order.plan, ContextOfRun(state_)),
      begun_(clock->Steady()) {}

RunPaths Session::MakePaths() {
  RunPaths paths(order_.output_dir, order_.run_id);
  if (order_.mode == RunOrder::Mode::kNew) folder_.Make(paths.folder());
  return paths;
}

std::vector<InstanceState> Session::BeginStates() const {
  if (order_.mode == RunOrder::Mode::kResume) return history_.Resume(order_.plan.instances);
  return history_.Retry(order_.plan.instances, order_.retry_from, order_.changed);
}

RunEnd Session::Run() {
  const bool resumed = order_.mode == RunOrder::Mode::kResume;
  if (!resumed) targets_.Reach(kLongestToReach);
  if (order_.before) order_.before(targets_.by_name(), cancel_);
  KeepRunRecord();
  bus_.Subscribe(journal_.Subscribe());
  for (const Subscription& watcher : order_.watchers) bus_.Subscribe(watcher);
  const auto metrics = MakeMetricsFile();
  if (metrics) bus_.Subscribe(metrics->Subscribe());
  const StageInstance no_stage;
  HookRunner hooks(&services_, order_.plan.hooks, ContextOfRun(state_), StageScope(&state_, &no_stage, &secrets_));
  const CloseAtEnd closer{&bus_};  // hooks get no event any more when they are destroyed, also when this throws
  TellBegin();
  if (resumed) targets_.Reach(kForEver);
  StageRunner runner(&services_, &state_, &secrets_, prompt_id_);
  GpuGate gate(&services_, &state_, &runner, order_.inputs.priority);
  RunEnd end = RunEngine(&services_, &state_, &runner, &gate).Run(order_.inputs.jobs, &cancel_);
  end.failure.message = masker_.Mask(end.failure.message);
  state_.SetRunEnd(end.status, end.failure.message);
  RunHandlers(end, &runner, &gate);
  leases_.ReleaseAll(order_.run_id);
  // The journal first: a run that the store knows as ended is not gone on with, and nobody would add its end.
  writer_.Flush();
  const RunFinished finished{end.status, end.failure, EndedAt(&clock_, started_at_, begun_), LogOfRun(state_, &store_)};
  bus_.Publish(ContextOfRun(state_), finished);
  bus_.Close();
  KeepEnd(finished);
  hooks.Stop();
  end.undiagnosed = DiagnoseIfFailed(end);
  return end;
}

std::unique_ptr<MetricsFile> Session::MakeMetricsFile() {
  if (order_.metrics_file.empty()) return nullptr;
  std::set<std::string> stages, ended;
  for (std::size_t i = 0; i < order_.plan.instances.size(); ++i) {
    const std::string key = order_.plan.instances[i].key();
    stages.insert(key);
    if (IsEnd(state_.Get(i).status)) ended.insert(key);
  }
  return std::make_unique<MetricsFile>(MetricsFile::Order{order_.metrics_file, &store_, &logger_, ContextOfRun(state_)},
                                       order_.plan.name, std::move(stages), std::move(ended));
}

InspectionSources Session::MakeSources(const Catalogue* plugins) {
  InspectionSources sources;
  sources.targets = order_.plan.targets;
  sources.masker = masker_;
  for (const auto& [name, value] : secrets_) sources.secrets.push_back(name);
  sources.plugins = plugins;
  sources.own_run = order_.run_id;
  sources.read = [this](const std::function<void(RunStore&)>& work) { writer_.WriteAndWait(work); };
  return sources;
}

// Last, when the run's end is on disk: whatever becomes of the diagnosis, it changes nothing of the run.
std::string Session::DiagnoseIfFailed(const RunEnd& end) {
  if (end.status != Status::kFailed || !IsToBeDiagnosed(order_.plan, *services_.plugins)) return "";
  const SteadyTime begin = clock_.Steady();
  const Diagnosis diagnosis = Diagnose(store_.GetRun(order_.run_id), inspection_, &logger_, cancel_);
  const std::string took = " in " + FormatDuration(clock_.Steady() - begin);
  if (diagnosis.problem.empty()) {
    logger_.Log(LogLevel::kInfo, ContextOfRun(state_), "diagnosed" + took + ": " + diagnosis.summary.string());
  } else {
    logger_.Log(LogLevel::kWarning, ContextOfRun(state_), "could not be diagnosed" + took + ": " + diagnosis.problem);
  }
  return diagnosis.problem;
}

void Session::KeepRunRecord() {
  prompt_id_ = KeepPrompt(&writer_, &clock_, masker_,
                          {{"text", PromptOf("prompt")}, {"negative_prompt", PromptOf("negative_prompt")}});
  RunRecord record;
  if (order_.mode == RunOrder::Mode::kNew) {
    record.run_id = order_.run_id;
    record.workflow = order_.plan.name;
    record.workflow_path = order_.inputs.workflow_path;
    record.output_dir = order_.output_dir;
    record.prompt_name = order_.plan.prompt_name;
    record.started_at = UnixMilliseconds(clock_.Wall());
  } else {
    record = store_.GetRun(order_.run_id);
    record.failure_kind.clear();
    record.error_message.clear();
    record.ended_at = 0;
  }
  if (order_.mode == RunOrder::Mode::kRetry) {
    record.retried_at = UnixMilliseconds(clock_.Wall());
    record.workflow = order_.plan.name;
    record.workflow_path = order_.inputs.workflow_path;
    record.prompt_name = order_.plan.prompt_name;
  }
  if (order_.mode != RunOrder::Mode::kResume) KeepInputs(record);
  started_at_ = record.started_at;
  retried_at_ = record.retried_at;
  record.prompt_id = prompt_id_;
  record.status = ToString(Status::kRunning);
  writer_.WriteAndWait([&](RunStore& store) { store.PutRun(record); });
  folder_.Keep();
}

// Before the record is kept: an engine that resumes the run reads them.
void Session::KeepInputs(const RunRecord& record) {
  RunInputs inputs = order_.inputs;
  inputs.params = MaskJson(inputs.params, masker_);
  inputs.workflow = record.workflow;
  inputs.prompt_name = record.prompt_name;
  inputs.started_at = record.started_at;
  inputs.prompt_id = prompt_id_;
  inputs.prompt = masker_.Mask(PromptOf("prompt"));
  inputs.negative_prompt = masker_.Mask(PromptOf("negative_prompt"));
  for (std::size_t i = 0; i < order_.plan.instances.size(); ++i) {
    const InstanceState state = state_.Get(i);
    if (state.first_attempt > 1) inputs.first_attempts[order_.plan.instances[i].key()] = state.first_attempt;
  }
  for (const auto* handlers : {&order_.plan.on_failure, &order_.plan.on_success, &order_.plan.on_exit}) {
    const std::vector<InstanceState> states = history_.Anew(*handlers);
    for (std::size_t i = 0; i < handlers->size(); ++i) {
      inputs.first_attempts[(*handlers)[i].key()] = states[i].first_attempt;
    }
  }
  SaveRunInputs(inputs, paths_.inputs());
}

// A param's text, or "" when there is none.
std::string Session::PromptOf(const char* param) const { return TextIn(order_.plan.params, param); }

void Session::TellBegin() {
  const RunContext context = ContextOfRun(state_);
  if (history_.run_is_open()) {
    bus_.Publish(context, RunResumed{});
  } else {
    bus_.Publish(context, RunStarted{order_.plan.name, order_.plan.instances.size(), retried_at_});
  }
  history_.PublishMissing(&bus_);
  connections_.Begin();
  logger_.Log(LogLevel::kInfo, context,
              (order_.mode == RunOrder::Mode::kNew ? "started: " : "goes on: ") + order_.inputs.workflow_path);
}

// The run has ended, and what its handlers come to changes nothing about how.
void Session::RunHandlers(const RunEnd& end, StageRunner* runner, GpuGate* gate) {
  std::vector<StageInstance> handlers;
  const auto add = [&](const std::vector<StageInstance>& more) {
    handlers.insert(handlers.end(), more.begin(), more.end());
  };
  if (end.status == Status::kFailed) add(order_.plan.on_failure);
  if (end.status == Status::kSucceeded) add(order_.plan.on_success);
  add(order_.plan.on_exit);
  const std::vector<InstanceState> states =
      order_.mode == RunOrder::Mode::kRetry ? history_.Anew(handlers) : history_.Resume(handlers);
  const CancelToken cancel;  // handlers clean up also after a cancelled run
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    if (IsEnd(states[i].status)) continue;
    std::vector<BatchItem> items = {{&handlers[i], states[i]}};
    Failure refused;
    gate->Await(&items, &refused, cancel_);
    if (refused) {
      runner->Fail(handlers[i], states[i], refused);
    } else {
      runner->Run(handlers[i], items[0].begin, cancel);
    }
    gate->Leave(items);
  }
}

void Session::KeepEnd(const RunFinished& end) {
  writer_.WriteAndWait([&](RunStore& store) {
    RunRecord record = store.GetRun(order_.run_id);
    record.status = ToString(end.status);
    record.failure_kind = ToString(end.failure.kind);
    record.ended_at = end.ended_at;
    record.log_path = end.log_path;
    store.PutRun(record);
    if (end.status == Status::kFailed) {
      store.SetRunError(order_.run_id, std::string(ToString(end.failure.kind)), end.failure.message);
    }
  });
  store_.ConfirmSaved(order_.run_id);
  logger_.Log(LogLevel::kInfo, ContextOfRun(state_),
              std::string(ToString(end.status)) + (end.failure ? ": " + end.failure.message : std::string()));
}

}  // namespace

RunEnd CarryOutRun(const RunOrder& order, RunStore* store, const Catalogue* plugins, Clock* clock,
                   CancelToken* cancel) {
  const Secrets secrets = ReadSecrets(order.plan.secrets);
  const Masker masker = MaskerOf(secrets);
  try {
    return Session(order, &secrets, &masker, store, plugins, clock, cancel).Run();
  } catch (const Error& error) {  // its text may be a host's
    throw Error(error.code(), masker.Mask(error.message()), masker.Mask(error.hint()), error.where());
  }
}

}  // namespace cosmos
