#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "core/cancel.h"
#include "plugin/stage_plugin.h"
#include "run/run_services.h"
#include "run/run_state.h"

namespace cosmos {

// How one attempt of a stage instance ended.
struct AttemptEnd {
  Status status = Status::kSucceeded;  // succeeded, failed, cancelled or skipped
  Failure failure;
  nlohmann::json outputs = nlohmann::json::object();
  std::string log_path;  // empty when the attempt left no log
};

// Carries out single attempts of stage instances: resolves their parameters, keeps their record, lets the plugin work,
// and tells the bus. Thread-safe; each attempt runs on the thread that calls.
class StageRunner {
 public:
  // The pointers must outlive the runner. `prompt_id` is that of the run.
  StageRunner(const RunServices* services, const RunState* state, const Secrets* secrets, std::string prompt_id);

  // Runs the attempt that `begin` says, or, before the first one, skips the instance when its `when` is false. Throws
  // Error only for what makes it impossible to go on with the run at all (the store); everything else is a failure of
  // the attempt.
  AttemptEnd Run(const StageInstance& instance, const InstanceState& begin, const CancelToken& cancel);

  // Tells that the instance may start now.
  void TellReady(const StageInstance& instance, const InstanceState& state);
  // Records and tells of an instance that ends as skipped or cancelled (`state.status`) without ever having run.
  void EndWithoutRun(const StageInstance& instance, const InstanceState& state, const std::string& reason);
  // Asks every plugin at work to return.
  void CancelAll();
  // Asks those whose time is over to return; to be called now and then. (The time of a job is kept by its JobRunner.)
  void CancelOverdue(WallTime now);

 private:
  // One attempt while its plugin works.
  struct Active {
    std::shared_ptr<StagePlugin> plugin;
    std::optional<WallTime> deadline;
    bool overdue = false;
  };
  class Record;

  bool WhenHolds(const StageInstance& instance, const InstanceState& begin) const;
  AttemptEnd Attempt(const StageInstance& instance, const InstanceState& begin,
                     const std::function<AttemptEnd(const RunContext& context, Record* record)>& work);
  RunContext ContextOf(const StageInstance& instance, const InstanceState& begin) const;
  AttemptEnd Work(const StageInstance& instance, const InstanceState& begin, const RunContext& context, Record* record,
                  const CancelToken& cancel);
  StageResult CallPlugin(const std::shared_ptr<StagePlugin>& plugin, TaskHost* task, const StageCall& call,
                         std::optional<WallTime> deadline);

  const RunServices& services_;
  const RunState& state_;
  const Secrets& secrets_;
  const std::string prompt_id_;
  std::mutex mutex_;  // guards active_
  std::list<Active> active_;
};

}  // namespace cosmos
