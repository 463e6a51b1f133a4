#include "run/run_session.h"

#include <memory>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/ids.h"
#include "event/journal.h"
#include "log/run_logger.h"
#include "run/hook_runner.h"
#include "run/mask_json.h"
#include "run/recovery.h"
#include "run/run_lock.h"
#include "run/stage_task.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace {

using nlohmann::json;

// Refuses what this program cannot reach, before anything is executed.
void CheckTargets(const Plan& plan) {
  for (const StageInstance& instance : plan.instances) {
    const auto target = plan.targets.find(instance.target);
    if (target != plan.targets.end() && !target->second.contains("ssh")) continue;
    throw Error(ErrorCode::kInvalidInput,
                "stage '" + instance.key() + "' runs on the target '" + instance.target +
                    "', which is reached by SSH; this version runs stages on the local machine only",
                "use `--target local`", instance.where);
  }
}

std::vector<std::string> Values(const Secrets& secrets) {
  std::vector<std::string> values;
  for (const auto& [name, value] : secrets) values.push_back(value);
  return values;
}

// The parts of one run, made in the order in which they depend on each other.
class Session {
 public:
  Session(const RunOrder& order, RunStore* store, const Catalogue* plugins, Clock* clock);

  RunEnd Run(CancelToken* cancel);

 private:
  RunPaths MakePaths() const;
  std::vector<InstanceState> BeginStates() const;
  void KeepRunRecord();
  void TellBegin();
  void RunHandlers(const RunEnd& end, StageRunner* runner);
  void KeepEnd(const RunEnd& end);
  std::string LogOfRun();

  const RunOrder& order_;
  RunStore& store_;
  Clock& clock_;
  const Secrets secrets_;
  const Masker masker_;
  const RunPaths paths_;
  const RunLock lock_;
  RunLogger logger_;
  Journal journal_;
  const History history_;
  StoreWriter writer_;
  EventBus bus_;
  JobRunner jobs_;
  LocalTarget local_;
  const std::map<std::string, Target*> targets_;
  const RunServices services_;
  RunState state_;
  std::string prompt_id_;
};

Session::Session(const RunOrder& order, RunStore* store, const Catalogue* plugins, Clock* clock)
    : order_(order),
      store_(*store),
      clock_(*clock),
      secrets_(ReadSecrets(order.plan.secrets)),
      masker_(Values(secrets_)),
      paths_(MakePaths()),
      lock_(paths_.lock()),
      logger_(paths_.engine_log(), &masker_, order.verbose),
      journal_(paths_.journal()),
      history_(store->StagesOf(order.run_id), paths_.journal()),
      writer_(store),
      bus_(clock, journal_.last_seq()),
      jobs_(&writer_, &bus_, &logger_, &masker_, clock),
      targets_{{"local", &local_}},
      services_{clock, &logger_, &masker_, &bus_, &writer_, plugins, &jobs_, &paths_, &targets_},
      state_(&order.plan, order.run_id, order.output_dir, BeginStates()) {}

RunPaths Session::MakePaths() const {
  RunPaths paths(order_.output_dir, order_.run_id);
  MakeFolders(paths.folder().parent_path());
  MakeFolders(paths.folder(), 0700);
  return paths;
}

std::vector<InstanceState> Session::BeginStates() const {
  if (order_.mode == RunOrder::Mode::kResume) return history_.Resume(order_.plan.instances);
  return history_.Retry(order_.plan.instances, order_.retry_from);
}

RunEnd Session::Run(CancelToken* cancel) {
  KeepRunRecord();
  bus_.Subscribe(journal_.Subscribe());
  for (const Subscription& watcher : order_.watchers) bus_.Subscribe(watcher);
  const StageInstance no_stage;
  HookRunner hooks(&services_, order_.plan.hooks, ContextOfRun(state_), StageScope(&state_, &no_stage, &secrets_));
  TellBegin();
  StageRunner runner(&services_, &state_, &secrets_, prompt_id_);
  const RunEnd end = RunEngine(&services_, &state_, &runner).Run(order_.inputs.jobs, cancel);
  state_.SetRunEnd(end.status, end.failure.message);
  RunHandlers(end, &runner);
  KeepEnd(end);
  bus_.Publish(ContextOfRun(state_), RunFinished{end.status, end.failure});
  bus_.Close();
  hooks.Stop();
  return end;
}

void Session::KeepRunRecord() {
  if (order_.mode == RunOrder::Mode::kNew) {
    RunInputs inputs = order_.inputs;
    inputs.params = MaskJson(inputs.params, masker_);
    SaveRunInputs(inputs, paths_.inputs());
  }
  const json& params = order_.plan.params;
  const auto text = [&](const char* name) {
    return params.contains(name) && params[name].is_string() ? params[name].get<std::string>() : std::string();
  };
  prompt_id_ = KeepPrompt(&writer_, &clock_, {{"text", text("prompt")}, {"negative_prompt", text("negative_prompt")}});
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
  record.prompt_id = prompt_id_;
  record.status = ToString(Status::kRunning);
  writer_.WriteAndWait([&](RunStore& store) { store.PutRun(record); });
}

void Session::TellBegin() {
  const RunContext context = ContextOfRun(state_);
  if (history_.run_is_open()) {
    bus_.Publish(context, RunResumed{});
  } else {
    bus_.Publish(context, RunStarted{order_.plan.name, order_.plan.instances.size()});
  }
  history_.PublishMissing(&bus_);
  logger_.Log(LogLevel::kInfo, context,
              (order_.mode == RunOrder::Mode::kNew ? "started: " : "goes on: ") + order_.inputs.workflow_path);
}

// The run has ended, and what its handlers come to changes nothing about how.
void Session::RunHandlers(const RunEnd& end, StageRunner* runner) {
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
    if (!IsEnd(states[i].status)) runner->Run(handlers[i], states[i], cancel);
  }
}

void Session::KeepEnd(const RunEnd& end) {
  const std::int64_t now = UnixMilliseconds(clock_.Wall());
  writer_.Flush();
  const std::string log_path = LogOfRun();
  writer_.WriteAndWait([&](RunStore& store) {
    RunRecord record = store.GetRun(order_.run_id);
    record.status = ToString(end.status);
    record.failure_kind = ToString(end.failure.kind);
    record.ended_at = now;
    record.log_path = log_path;
    store.PutRun(record);
    if (end.status == Status::kFailed) {
      store.SetRunError(order_.run_id, std::string(ToString(end.failure.kind)), end.failure.message);
    }
  });
  logger_.Log(LogLevel::kInfo, ContextOfRun(state_),
              std::string(ToString(end.status)) + (end.failure ? ": " + end.failure.message : std::string()));
}

// The log of the first stage that failed for good, or else of the last one that has any; handlers do not count.
std::string Session::LogOfRun() {
  std::map<std::string, InstanceState> states;
  for (std::size_t i = 0; i < order_.plan.instances.size(); ++i) {
    const StageInstance& instance = order_.plan.instances[i];
    InstanceState state = state_.Get(i);
    if (instance.continue_on_error) state.failure = {};
    states[instance.key()] = std::move(state);
  }
  std::string log;
  for (const StageRecord& record : store_.StagesOf(order_.run_id)) {
    const auto state = states.find(record.instance.empty() ? record.stage : record.stage + "." + record.instance);
    if (state == states.end() || record.attempt != state->second.attempt || record.log_path.empty()) continue;
    if (state->second.status == Status::kFailed && state->second.failure) return record.log_path;
    log = record.log_path;
  }
  return log;
}

}  // namespace

RunEnd CarryOutRun(const RunOrder& order, RunStore* store, const Catalogue* plugins, Clock* clock,
                   CancelToken* cancel) {
  CheckTargets(order.plan);
  return Session(order, store, plugins, clock).Run(cancel);
}

}  // namespace cosmos
