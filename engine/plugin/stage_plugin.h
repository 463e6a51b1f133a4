#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/run_context.h"
#include "core/status.h"
#include "plugin/plugin_library.h"
#include "plugin/task_host.h"

namespace cosmos {

struct StageResult {
  Failure failure;         // kCancelled: given up
  nlohmann::json outputs;  // an object, when there is no failure
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
  StageResult Run(TaskHost* host, const RunContext& context, const nlohmann::json& parameters);
  // The job spec that Run would start; null when the plugin starts none or cannot tell yet.
  nlohmann::json Preview(TaskHost* host, const RunContext& context, const nlohmann::json& parameters);
  void Cancel() noexcept;

 private:
  const cosmos_plugin_entry_t& entry_;
  void* instance_;
};

// `context` as plugins see it.
nlohmann::json ToJson(const RunContext& context);

}  // namespace cosmos
