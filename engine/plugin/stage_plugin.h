#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/run_context.h"
#include "core/status.h"
#include "plugin/plugin_library.h"
#include "plugin/task_host.h"

namespace cosmos {

struct StageResult {
  Failure failure;         // kCancelled: given up
  nlohmann::json outputs;  // an object, when there is no failure
};

// What one attempt of a stage passes to its plugin. A value.
struct StageCall {
  RunContext context;
  nlohmann::json parameters;
  int gpus = 0;                        // that it may use
  std::vector<std::string> oom_steps;  // taken so far, see RetryPolicy::on_oom
  bool resumed = false;                // an earlier engine began the attempt
};

// One instance of a stage plugin, for one attempt. Run and Preview are for one thread at a time, Cancel for any.
class StagePlugin {
 public:
  // Throws Error{kPlugin} when the plugin cannot be initialised or gives no instance. `library` must outlive this.
  explicit StagePlugin(PluginLibrary* library);
  ~StagePlugin();
  StagePlugin(const StagePlugin&) = delete;
  StagePlugin& operator=(const StagePlugin&) = delete;

  // Never throws for what the plugin does wrong: that is a failure of kind plugin_error.
  StageResult Run(TaskHost* host, const StageCall& call);
  // The job spec that Run would start; null when the plugin starts none or cannot tell yet.
  nlohmann::json Preview(TaskHost* host, const StageCall& call);
  void Cancel() noexcept;

  // Several attempts as one job: {"job", "members"} as plan_batch of cosmos_plugin_entry_t gives it. Throws
  // Error{kInvalidInput} when the plugin refuses the parameters, Error{kPlugin} when it cannot say.
  nlohmann::json PlanBatch(TaskHost* host, const std::vector<StageCall>& calls);
  void OnBatchOutput(TaskHost* host, std::string_view bytes) noexcept;

 private:
  const cosmos_plugin_entry_t& entry_;
  void* instance_;
};

// `context` as plugins see it.
nlohmann::json ToJson(const RunContext& context);

}  // namespace cosmos
