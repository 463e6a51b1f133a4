#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/cancel.h"
#include "plugin/stage_plugin.h"
#include "run/open_attempt.h"
#include "run/run_services.h"
#include "run/run_state.h"
#include "run/stage_task.h"

namespace cosmos {

// An instance that is to be carried out with others.
struct BatchItem {
  const StageInstance* instance = nullptr;
  InstanceState begin;
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

  // The same for instances of one stage that share a job (StageInstance::batch), at least one; in their order.
  std::vector<AttemptEnd> RunBatch(const std::vector<BatchItem>& items, const CancelToken& cancel);

  // Ends the attempt, which begins with this, as failed.
  AttemptEnd Fail(const StageInstance& instance, const InstanceState& begin, const Failure& failure);
  // Whether there is anything to do: not when its `when` is false or cannot be evaluated.
  bool HasWork(const StageInstance& instance, const InstanceState& begin) const;

  // Tells that the instance may start now.
  void TellReady(const StageInstance& instance, const InstanceState& state);
  // Records and tells of an instance that ends as skipped or cancelled (`state.status`) without ever having run.
  void EndWithoutRun(const StageInstance& instance, const InstanceState& state, const std::string& reason);
  // Asks every plugin at work to return.
  void CancelAll();
  // Asks those whose time is over to return; to be called now and then. While a job runs, its JobRunner keeps its time.
  void CancelOverdue(SteadyTime now);
  // Keeps in the store how far those at work are; to be called now and then. Does not wait.
  void KeepProgress(SteadyTime now);

 private:
  // One attempt while its plugin works.
  struct Active {
    std::shared_ptr<StagePlugin> plugin;
    std::shared_ptr<const StageTask> task;
    std::optional<SteadyTime> deadline;
    bool overdue = false;
  };
  // Thrown when the engine itself cannot go on: the attempt has not ended, and must not be recorded as if it had.
  struct Abandoned {
    std::string reason;
  };
  // All that carrying out an attempt takes.
  struct Prepared {
    StageCall call;
    StageTask::Order order;
  };
  struct BatchMember {
    Prepared prepared;
    std::optional<std::size_t> item;  // its place among the items; none: it has ended before
  };

  void Watch(const std::shared_ptr<StageTask>& task);
  bool WhenHolds(const StageInstance& instance, const InstanceState& begin) const;
  AttemptEnd Attempt(const StageInstance& instance, const InstanceState& begin,
                     const std::function<AttemptEnd(OpenAttempt* attempt)>& work);
  [[noreturn]] static void Leave(const RunContext& context, const Abandoned& abandoned);
  RunContext ContextOf(const StageInstance& instance, const InstanceState& begin) const;
  Prepared Prepare(const StageInstance& instance, const InstanceState& begin, OpenAttempt* attempt);
  AttemptEnd Work(const StageInstance& instance, const InstanceState& begin, OpenAttempt* attempt,
                  const CancelToken& cancel);
  nlohmann::json ParametersOf(const StageInstance& instance) const;
  // The jobs of attempts of the items' stage that earlier engines started.
  std::vector<JobRecord> JobsOf(const StageInstance& instance) const;
  std::vector<AttemptEnd> WorkBatch(const std::vector<BatchItem>& items, const std::string& folder,
                                    const std::vector<JobRecord>& jobs, const CancelToken& cancel);
  // A member of the job in `folder` that ended before an earlier engine did; nothing when the instance is none.
  std::optional<BatchMember> EndedMember(const StageInstance& instance, const std::string& folder,
                                         const std::vector<JobRecord>& jobs) const;
  // Carries out the job of the members and tells the ends of those that have not ended before.
  void RunMembers(const std::vector<BatchMember>& members, const std::string& folder, const CancelToken& cancel,
                  std::vector<AttemptEnd>* ends);
  StageResult CallPlugin(const std::shared_ptr<StagePlugin>& plugin, const std::shared_ptr<StageTask>& task,
                         const Prepared& prepared);

  const RunServices& services_;
  const RunState& state_;
  const Secrets& secrets_;
  const std::string prompt_id_;
  std::mutex mutex_;  // guards what follows
  std::list<Active> active_;
  std::vector<std::weak_ptr<StageTask>> tasks_;  // at work, and some that were
};

}  // namespace cosmos
