#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/logger.h"
#include "core/status.h"
#include "plugin/inspection.h"

namespace cosmos {

struct JobResult {
  Failure failure;         // kCancelled: given up
  nlohmann::json outputs;  // {NAME: absolute local path}
};

// What one attempt of a stage may ask of the engine while it is carried out: the C++ side of the services of
// sdk/include/cosmos/plugin.h, where the contracts stand. Functions may throw; the adapter turns that into a status.
// Log and Progress from any thread, the rest from the thread that runs the stage.
class TaskHost {
 public:
  virtual ~TaskHost() = default;

  virtual void Log(LogLevel level, std::string_view text) = 0;
  // `eta_seconds` as the plugin tells it, less than 0 when it does not know; none: it leaves that to the engine.
  virtual void Progress(double done, double total, std::string_view phase, std::optional<double> eta_seconds) = 0;
  virtual std::string Input(const std::string& local_path) = 0;
  virtual std::string OutputFolder() = 0;
  virtual JobResult RunJob(const nlohmann::json& spec, const std::function<void(std::string_view)>& on_output) = 0;
  virtual std::string Folder() = 0;
  virtual void AddArtifact(const std::string& path) = 0;
  virtual std::string PutPrompt(const nlohmann::json& prompt) = 0;
  virtual nlohmann::json Containers(const std::string& run_id) = 0;
  virtual void KeepTimings(const nlohmann::json& key, const nlohmann::json& timings) = 0;
  virtual nlohmann::json FindTimings(const nlohmann::json& key) = 0;
  // Any thread.
  virtual Inspection& Inspect() {
    throw Error(ErrorCode::kPlugin, "nothing can be looked at here", "ask while the stage is carried out, by itself");
  }
};

}  // namespace cosmos
