#include "workflow/schema_texts.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "workflow/schema_walk.h"
#include "workflow/schema_words.h"

namespace cosmos {
namespace {

using nlohmann::json;

// A number or boolean, and what the schemas that apply to it take.
struct Scalar {
  json* value;
  std::string text;    // as it is written
  bool taken = false;  // as it is
  bool taken_as_text = false;
};
using Scalars = std::unordered_map<const json*, Scalar>;

void Gather(const YamlNode& node, json* value, Scalars* scalars) {
  if (value->is_object()) {
    for (const auto& [key, member] : node.members) {
      const auto found = value->find(key);
      if (found != value->end()) Gather(member, &*found, scalars);
    }
  } else if (value->is_array()) {
    for (std::size_t i = 0; i < std::min(value->size(), node.items.size()); ++i) {
      Gather(node.items[i], &(*value)[i], scalars);
    }
  } else if (!node.text.empty()) {
    scalars->emplace(value, Scalar{value, node.text});
  }
}

void Gather(json* value, Scalars* scalars) {
  if (value->is_structured()) {
    for (json& element : *value) Gather(&element, scalars);
  } else if (value->is_number() || value->is_boolean()) {
    scalars->emplace(value, Scalar{value, value->dump()});
  }
}

bool IsOneOf(const json& values, const json& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void Look(const json& schema, Scalar* scalar) {
  const json& value = *scalar->value;
  if (schema.value("x-text", false)) {
    scalar->taken_as_text = true;
  } else if (schema.contains("type")) {
    const json& type = schema["type"];
    const json types = type.is_array() ? type : json::array({type});
    scalar->taken_as_text |= IsOneOf(types, "string");
    scalar->taken |= std::any_of(types.begin(), types.end(), [&](const json& name) { return IsOfType(value, name); });
  } else if (schema.contains("enum")) {
    scalar->taken_as_text |= IsOneOf(schema["enum"], scalar->text);
    scalar->taken |= IsOneOf(schema["enum"], value);
  } else if (schema.contains("const")) {
    scalar->taken_as_text |= schema["const"] == scalar->text;
    scalar->taken |= schema["const"] == value;
  }
}

void KeepTextsOf(Scalars scalars, const json& schema, json* value) {
  if (scalars.empty()) return;
  WalkSchema(schema, schema, *value, [&](const json& part, const json& at, const SchemaPath&) {
    const auto scalar = scalars.find(&at);
    if (scalar != scalars.end()) Look(part, &scalar->second);
  });
  for (const auto& [at, scalar] : scalars) {
    if (scalar.taken_as_text && !scalar.taken) *scalar.value = scalar.text;
  }
}

}  // namespace

void KeepTexts(const json& schema, const YamlNode& node, json* value) {
  Scalars scalars;
  Gather(node, value, &scalars);
  KeepTextsOf(std::move(scalars), schema, value);
}

void KeepTexts(const json& schema, json* value) {
  Scalars scalars;
  Gather(value, &scalars);
  KeepTextsOf(std::move(scalars), schema, value);
}

}  // namespace cosmos
