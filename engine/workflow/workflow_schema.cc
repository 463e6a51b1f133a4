#include "workflow/workflow_schema.h"

#include "core/json_values.h"

namespace cosmos {

using nlohmann::json;

std::string ConfigSchema() {
  const json workflow = ParseJson(WorkflowSchema(), kOwnJson);
  nlohmann::ordered_json config;
  config["$schema"] = workflow["$schema"];
  config["title"] = "cosmos-engine configuration";
  config["description"] = "Targets and hooks for all workflows of a user; a workflow's own win.";
  config["type"] = {"object", "null"};
  config["additionalProperties"] = false;
  config["x-expressions"] = false;
  for (const char* key : {"targets", "hooks", "log"}) config["properties"][key] = workflow["properties"][key];
  for (const char* name : {"identifier", "text", "env", "targets", "target", "container", "hooks", "log"}) {
    config["definitions"][name] = workflow["definitions"][name];
  }
  return config.dump(2);
}

json DefinitionSchema(const std::string& definition) {
  const json workflow = ParseJson(WorkflowSchema(), kOwnJson);
  return {{"$ref", "#/definitions/" + definition}, {"definitions", workflow["definitions"]}};
}

}  // namespace cosmos
