#include "workflow/plugin_schemas.h"

#include <string>

#include "workflow/schema_checker.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr const char* kPlugins = "plugins";        // the definition that holds their schemas
constexpr const char* kParameters = "parameters";  // the definition that ties `with` to `uses`

std::string Reference(const std::string& definition) { return "#/definitions/" + definition; }

// Lets the references in a plugin's schema lead to the place that the schema gets.
void MoveReferences(const std::string& place, json* schema) {
  if (!schema->is_structured()) return;
  for (auto it = schema->begin(); it != schema->end(); ++it) {
    const bool is_reference = schema->is_object() && it.key() == "$ref" && it->is_string();
    if (is_reference) {
      *it = place + it->get<std::string>().substr(1);
    } else {
      MoveReferences(place, &*it);
    }
  }
}

json ParametersOf(const PluginFacts& facts, const std::string& place) {
  json parameters = facts.parameters.is_null() ? json(true) : facts.parameters;
  MoveReferences(place, &parameters);
  return parameters;
}

// Whether the plugin can do without parameters of the file.
bool NeedsNothing(const PluginFacts& facts) {
  const SchemaChecker checker(facts.parameters);
  return checker.Check(checker.WithDefaults(json::object(), Texts::kPlain), Texts::kPlain).empty();
}

json ConditionFor(const PluginFacts& facts, const std::string& place) {
  json with = {{"$ref", place}};
  json then = json::object();
  if (NeedsNothing(facts)) {
    with = {{"anyOf", {with, {{"type", "null"}}}}};
  } else {
    then["required"] = {"with"};
  }
  with["x-expressions"] = true;
  with["description"] = "The parameters of " + facts.id + ".";
  then["properties"] = {{"with", with}};
  return {{"if", {{"properties", {{"uses", {{"const", facts.id}}}}}, {"required", {"uses"}}}}, {"then", then}};
}

json Choice(const PluginFacts& facts) { return {{"const", facts.id}, {"description", facts.summary}}; }

json HookOf(const PluginFacts& facts, const std::string& place) {
  return {{"description", facts.summary}, {"anyOf", {{{"$ref", place}}, {{"type", "null"}}, {{"const", false}}}}};
}

}  // namespace

json WithPlugins(json schema, const std::vector<const PluginFacts*>& plugins) {
  json& definitions = schema["definitions"];
  const bool has_stages = definitions.contains("stage");
  json conditions = json::array();
  json choices = json::array();
  json hooks = json::object();
  for (const PluginFacts* facts : plugins) {
    const std::string place = Reference(kPlugins) + "/" + facts->id;
    const bool is_hook = facts->kind == PluginFacts::Kind::kHook;
    if (!is_hook && !has_stages) continue;
    definitions[kPlugins][facts->id] = ParametersOf(*facts, place);
    if (is_hook) {
      hooks[facts->id] = HookOf(*facts, place);
    } else {
      choices.push_back(Choice(*facts));
      conditions.push_back(ConditionFor(*facts, place));
    }
  }
  definitions["hooks"]["properties"] = std::move(hooks);
  definitions["hooks"]["additionalProperties"] = false;
  if (!has_stages || choices.empty()) return schema;
  const auto choose = [](json* uses, json among) {
    *uses = {{"description", (*uses)["description"]}, {"anyOf", std::move(among)}};
  };
  choose(&definitions["handlers"]["items"]["properties"]["uses"], choices);
  choices.push_back({{"type", "string"},
                     {"pattern", "/|\\.ya?ml$"},
                     {"description", "The file of another workflow, seen from this one, such as ./shot.yaml."}});
  choose(&definitions["stage"]["properties"]["uses"], std::move(choices));
  definitions[kParameters] = {{"type", "object"}, {"x-expressions", false}, {"allOf", std::move(conditions)}};
  for (json* stage : {&definitions["stage"], &definitions["handlers"]["items"]}) {
    (*stage)["allOf"].push_back({{"$ref", Reference(kParameters)}});
  }
  return schema;
}

}  // namespace cosmos
