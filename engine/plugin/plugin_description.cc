#include "plugin/plugin_description.h"

#include <stdexcept>
#include <vector>

#include "core/json_values.h"

namespace cosmos {
namespace {

std::vector<std::string> Texts(const nlohmann::json& description, const char* key) {
  return description.value(key, std::vector<std::string>());
}

}  // namespace

PluginFacts ReadDescription(const std::string& text) {
  PluginFacts facts;
  const nlohmann::json description = ParseJson(text, kOwnJson);
  facts.id = description.at("id");
  const std::string kind = description.at("kind");
  if (kind != "stage" && kind != "hook") throw std::runtime_error("its kind is '" + kind + "', not stage or hook");
  facts.kind = kind == "hook" ? PluginFacts::Kind::kHook : PluginFacts::Kind::kStage;
  facts.version = description.value("version", "");
  facts.summary = description.value("summary", "");
  facts.parameters = description.value("parameters", nlohmann::json::object());
  facts.outputs = description.value("outputs", nlohmann::json::object());
  facts.outputs_from = description.value("outputs_from", "");
  facts.prompt_name_is_workflow = description.value("prompt_name", "stage") == "workflow";
  facts.folder = description.value("folder", facts.folder);
  facts.log_is_operation = description.value("log", "run") == "operation";
  facts.events = Texts(description, "events");
  facts.required_services = Texts(description, "requires");
  facts.optional_services = Texts(description, "optional");
  return facts;
}

}  // namespace cosmos
