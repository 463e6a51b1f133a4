#include "workflow/schema_walk.h"

#include <string_view>

#include "workflow/schema_pattern.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr int kMostReferences = 32;

// Calls `apply(schema of the element, element, its step)` for the elements of an object or list.
template <typename Value, typename Apply>
void ForEachElement(const json& schema, Value& value, const Apply& apply) {
  if (value.is_array() && schema.contains("items")) {
    const json& items = schema["items"];
    for (size_t i = 0; i < value.size(); ++i) {
      if (items.is_array() && i >= items.size()) break;
      apply(items.is_array() ? items[i] : items, value[i], std::to_string(i));
    }
    return;
  }
  if (!value.is_object()) return;
  const auto properties = schema.find("properties");
  const auto patterns = schema.find("patternProperties");
  const auto others = schema.find("additionalProperties");
  for (auto it = value.begin(); it != value.end(); ++it) {
    bool known = false;
    if (properties != schema.end()) {
      const auto property = properties->find(it.key());
      if (property != properties->end()) {
        apply(*property, it.value(), it.key());
        known = true;
      }
    }
    if (patterns != schema.end()) {
      for (const auto& [pattern, sub] : patterns->items()) {
        if (!MatchesPattern(it.key(), pattern)) continue;
        apply(sub, it.value(), it.key());
        known = true;
      }
    }
    if (!known && others != schema.end()) apply(*others, it.value(), it.key());
  }
}

void Walk(const json& root, const json& raw, const json& value, SchemaPath* path, const SchemaVisitor& visit) {
  const json& schema = Dereferenced(root, raw);
  if (!schema.is_object()) return;
  visit(schema, value, *path);
  const json* const chosen = ChosenBranch(root, schema, value);
  if (chosen != nullptr) Walk(root, *chosen, value, path, visit);
  for (const char* combination : {"allOf", "anyOf", "oneOf"}) {
    if (!schema.contains(combination) || (chosen != nullptr && combination == std::string_view("oneOf"))) continue;
    for (const json& branch : schema[combination]) Walk(root, branch, value, path, visit);
  }
  for (const char* branch : {"then", "else"}) {
    if (schema.contains(branch)) Walk(root, schema[branch], value, path, visit);
  }
  ForEachElement(schema, value, [&](const json& sub, const json& element, const std::string& step) {
    path->push_back(step);
    Walk(root, sub, element, path, visit);
    path->pop_back();
  });
}

using Adapt = std::function<json(const json&)>;

void FillIn(const json& root, const json& raw, const Adapt& adapt, json* value) {
  const json& schema = Dereferenced(root, raw);
  if (!schema.is_object()) return;
  if (value->is_object() && schema.contains("properties")) {
    for (const auto& [name, property] : schema["properties"].items()) {
      const json& sub = Dereferenced(root, property);
      if (!value->contains(name) && sub.is_object() && sub.contains("default")) (*value)[name] = adapt(sub["default"]);
    }
  }
  if (schema.contains("allOf")) {
    for (const json& part : schema["allOf"]) FillIn(root, part, adapt, value);
  }
  if (const json* const chosen = ChosenBranch(root, schema, *value)) FillIn(root, *chosen, adapt, value);
  ForEachElement(schema, *value,
                 [&](const json& sub, json& element, const std::string&) { FillIn(root, sub, adapt, &element); });
}

}  // namespace

const json& Referred(const json& root, const json& schema) {
  static const json kAnything = true;
  const std::string reference = schema["$ref"].get<std::string>();
  if (reference.rfind('#', 0) != 0) return kAnything;
  const json::json_pointer pointer(reference.substr(1));
  return root.contains(pointer) ? root.at(pointer) : kAnything;
}

const json& Dereferenced(const json& root, const json& schema) {
  const json* at = &schema;
  for (int i = 0; i < kMostReferences && at->is_object() && at->contains("$ref"); ++i) at = &Referred(root, *at);
  return *at;
}

bool ExpressionsAllowed(const json& root, const json& schema, bool otherwise) {
  const json* at = &schema;
  for (int i = 0; i < kMostReferences && at->is_object(); ++i) {
    if (at->contains("x-expressions")) return (*at)["x-expressions"].get<bool>();
    if (!at->contains("$ref")) break;
    at = &Referred(root, *at);
  }
  return otherwise;
}

const json* ChosenBranch(const json& root, const json& schema, const json& value) {
  if (!schema.is_object() || !schema.contains("discriminator") || !schema.contains("oneOf")) return nullptr;
  const std::string property = schema["discriminator"].value("propertyName", "");
  if (!value.is_object() || !value.contains(property)) return nullptr;
  const json::json_pointer constant("/properties/" + property + "/const");
  for (const json& branch : schema["oneOf"]) {
    const json& candidate = Dereferenced(root, branch);
    if (candidate.contains(constant) && candidate.at(constant) == value[property]) return &candidate;
  }
  return nullptr;
}

void WalkSchema(const json& root, const json& schema, const json& value, const SchemaVisitor& visit) {
  SchemaPath path;
  Walk(root, schema, value, &path, visit);
}

json WithDefaults(const json& root, const json& schema, json value, const Adapt& adapt) {
  FillIn(root, schema, adapt, &value);
  return value;
}

}  // namespace cosmos
