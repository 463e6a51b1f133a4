#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cosmos {

// What a plugin says of itself (its description, see sdk/include/cosmos/plugin.h), as far as a workflow's check and
// plan need it. A value.
struct PluginFacts {
  enum class Kind { kStage, kHook };

  std::string id;
  Kind kind = Kind::kStage;
  std::string version;
  std::string summary;
  nlohmann::json parameters;             // JSON Schema of `with:`
  nlohmann::json outputs;                // JSON Schema of the outputs
  std::string outputs_from;              // the object parameter whose keys are outputs too, or empty
  bool prompt_name_is_workflow = false;  // default prompt_name: the workflow's name, else the stage's
  std::string folder = "{prompt_name}";  // below the output folder; {prompt_name}, {prompt_id}
  bool log_is_operation = false;         // logs/{operation_id}.log (op_…) instead of logs/run_{run_id}.log
  std::vector<std::string> events;       // hooks: event types wanted; empty: all
  std::vector<std::string> required_services;
  std::vector<std::string> optional_services;
};

// Where the check and the plan look plugins up.
class PluginDirectory {
 public:
  virtual ~PluginDirectory() = default;
  // nullptr when there is no such plugin (or a bad one: `Problem` then says why). Valid as long as the directory.
  virtual const PluginFacts* Find(const std::string& id) const = 0;
  virtual std::vector<std::string> Ids(PluginFacts::Kind kind) const = 0;
  // Why the plugin `id` that was found could not be used, with what to do; empty when nothing is known of it.
  virtual std::string Problem(const std::string& id) const = 0;
};

}  // namespace cosmos
