#include "workflow/used_workflows.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/json_values.h"
#include "workflow/input_text.h"
#include "workflow/params.h"
#include "workflow/yaml_document.h"

namespace cosmos {
namespace {

using nlohmann::json;

PluginFacts FactsOf(const std::string& path, const json& workflow) {
  PluginFacts facts;
  facts.id = path;
  facts.parameters = {{"type", "object"}, {"additionalProperties", false}, {"properties", json::object()}};
  json required = json::array();
  for (const auto& [name, declaration] : ObjectIn(workflow, "params").items()) {
    if (!declaration.is_object()) continue;
    facts.parameters["properties"][name] = SchemaOfParam(declaration);
    if (!declaration.contains("default")) required.push_back(name);
  }
  if (!required.empty()) facts.parameters["required"] = required;
  facts.outputs = {{"properties", json::object()}};
  for (const auto& [name, value] : ObjectIn(workflow, "outputs").items()) facts.outputs["properties"][name] = true;
  return facts;
}

}  // namespace

bool IsWorkflowFile(const std::string& uses) {
  return uses.find('/') != uses.npos || uses.ends_with(".yaml") || uses.ends_with(".yml");
}

UsedWorkflows::UsedWorkflows(Read read)
    : read_(read ? std::move(read) : [](const std::string& path) { return ReadInputText("workflow", path); }) {}

const UsedWorkflows::Used& UsedWorkflows::Get(const std::string& path) {
  const auto known = used_.find(path);
  if (known != used_.end()) return known->second;
  std::string text = read_(path);
  const YamlDocument document = YamlDocument::Parse(text, path);
  const Findings wrong = document.findings().Sorted();
  Add(wrong);
  return used_.emplace(path, Used{std::move(text), FactsOf(path, document.value()), wrong.empty()}).first->second;
}

std::map<std::string, std::string> UsedWorkflows::Texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& [path, used] : used_) texts[path] = used.text;
  return texts;
}

void UsedWorkflows::Add(const Findings& findings) {
  for (const Finding& finding : findings) {
    const std::string text = ToText(finding);
    if (std::none_of(findings_.begin(), findings_.end(), [&](const Finding& one) { return ToText(one) == text; })) {
      findings_.push_back(finding);
    }
  }
}

}  // namespace cosmos
