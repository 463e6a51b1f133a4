#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/run_context.h"
#include "core/status.h"
#include "job/gpu_queue.h"
#include "run/secrets.h"
#include "workflow/plan.h"
#include "workflow/scope.h"

namespace cosmos {

// Where one stage instance stands.
struct InstanceState {
  Status status = Status::kPending;
  int attempt = 1;        // the next one, the one in progress, or the last one
  int first_attempt = 1;  // from which the attempts allowed by `retry:` are counted
  int out_of_memory = 0;  // earlier attempts that ran out of GPU memory
  Failure failure;
  nlohmann::json outputs = nlohmann::json::object();

  // Of an attempt that an earlier engine began and this one goes on with.
  bool begun = false;
  std::string operation_id;
  std::int64_t started_at = 0;   // milliseconds since the epoch; 0: not known
  bool start_published = false;  // the journal has its StageStarted

  std::vector<LeasedGpu> gpus;  // that the attempt has for itself
};

// The states of all instances of a run, and what expressions see of them. Thread-safe.
class RunState {
 public:
  // `plan` must outlive the state; `states` is as long as Plan::instances.
  RunState(const Plan* plan, std::string run_id, std::string output_dir, std::vector<InstanceState> states);

  InstanceState Get(std::size_t index) const;
  void Set(std::size_t index, const InstanceState& state);
  // What `run.status` and `run.error` say, to the handlers.
  void SetRunEnd(Status status, const std::string& error);

  const Plan& plan() const { return *plan_; }
  const std::string& run_id() const { return run_id_; }
  std::vector<InstanceState> All() const;

  // stages.NAME.outputs and stages.NAME.status as one instance sees them: a single value, or a list over the instances
  // (null for what has not succeeded); stages.NAME.instances: {INSTANCE: {status, outputs}}.
  std::optional<nlohmann::json> FindStage(const StageInstance& viewer, const std::vector<std::string>& path) const;
  std::optional<nlohmann::json> FindRun(const std::string& field) const;

 private:
  // REQUIRES: mutex_ is held. {instance: {status, outputs}}.
  nlohmann::json InstancesOf(const SeenStage& seen) const;

  const Plan* const plan_;
  const std::string run_id_;
  const std::string output_dir_;
  mutable std::mutex mutex_;  // guards all that follows
  std::vector<InstanceState> states_;
  std::string run_status_ = "running";
  std::string run_error_;
};

// The context of events and lines that concern the run as a whole.
RunContext ContextOfRun(const RunState& state);

// What the expressions of one stage instance may refer to while it is carried out. Does not own its parts.
class StageScope final : public Scope {
 public:
  StageScope(const RunState* state, const StageInstance* instance, const Secrets* secrets)
      : state_(state), instance_(instance), secrets_(secrets) {}

  std::optional<nlohmann::json> Find(const std::vector<std::string>& path) const override;

 private:
  const RunState* const state_;
  const StageInstance* const instance_;
  const Secrets* const secrets_;
};

}  // namespace cosmos
