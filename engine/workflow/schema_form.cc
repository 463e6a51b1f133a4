#include "workflow/schema_form.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "workflow/expression.h"
#include "workflow/schema_pattern.h"
#include "workflow/schema_walk.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr const char* kMark = "\x01";

// Keywords that hold no schemas, and those whose value is one schema.
constexpr std::string_view kUnchanged[] = {"type",
                                           "const",
                                           "enum",
                                           "multipleOf",
                                           "minimum",
                                           "maximum",
                                           "exclusiveMinimum",
                                           "exclusiveMaximum",
                                           "minLength",
                                           "maxLength",
                                           "pattern",
                                           "minItems",
                                           "maxItems",
                                           "minProperties",
                                           "maxProperties",
                                           "required"};
constexpr std::string_view kOfOneSchema[] = {"additionalItems", "additionalProperties", "contains"};

template <std::size_t kSize>
bool IsIn(const std::string_view (&keywords)[kSize], std::string_view keyword) {
  return std::find(std::begin(keywords), std::end(keywords), keyword) != std::end(keywords);
}

// Which values a form takes, of those that still have marks in them: all that may fit once the marks are replaced, or
// those alone that fit in any case. What `not` refuses in one sense it takes in the other.
enum class Sense { kPossible, kCertain };

Sense Opposite(Sense sense) { return sense == Sense::kPossible ? Sense::kCertain : Sense::kPossible; }

json AnyOf(json first, json second) { return {{"anyOf", {std::move(first), std::move(second)}}}; }

class FormBuilder {
 public:
  explicit FormBuilder(const json& root) : root_(root) {}

  json Build() {
    json form = FormOf(root_, Sense::kPossible);
    if (form.is_boolean()) return form;
    form["definitions"] = std::move(definitions_);
    return form;
  }

 private:
  json FormOf(const json& schema, Sense sense) {
    if (!schema.is_object()) return schema;
    if (schema.contains("$ref")) return ReferenceTo(schema, sense);
    json body = BodyOf(schema, sense);
    if (body.empty()) return true;
    const json mark = {{"const", kMark}};
    if (sense == Sense::kPossible) return AnyOf(mark, std::move(body));
    return {{"allOf", {json{{"not", mark}}, std::move(body)}}};
  }

  json ReferenceTo(const json& schema, Sense sense) {
    const auto [entry, is_new] =
        names_.try_emplace({schema["$ref"].get<std::string>(), sense}, std::to_string(names_.size()));
    const std::string name = entry->second;
    if (is_new) definitions_[name] = FormOf(Dereferenced(root_, schema), sense);
    return {{"$ref", "#/definitions/" + name}};
  }

  json BodyOf(const json& schema, Sense sense) {
    json body = json::object();
    json all = json::array();
    for (const auto& [keyword, value] : schema.items()) {
      if (IsIn(kUnchanged, keyword)) {
        body[keyword] = value;
      } else if (keyword == "uniqueItems") {
        if (sense == Sense::kCertain && value == true) all.push_back({{"maxItems", 1}});
      } else if (IsIn(kOfOneSchema, keyword)) {
        body[keyword] = FormOf(value, sense);
      } else if (keyword == "items" || keyword == "allOf" || keyword == "anyOf") {
        body[keyword] = value.is_array() ? FormsOf(value, sense) : FormOf(value, sense);
      } else if (keyword == "properties" || keyword == "patternProperties" || keyword == "dependencies") {
        body[keyword] = MembersOf(value, sense);
      } else if (keyword == "propertyNames") {
        body[keyword] = Defined(FormOf(value, sense));
      } else if (keyword == "not") {
        body[keyword] = FormOf(value, Opposite(sense));
      } else if (keyword == "oneOf") {
        if (sense == Sense::kCertain) all.push_back({{"oneOf", FormsOf(value, Sense::kPossible)}});
        all.push_back({{"anyOf", FormsOf(value, sense)}});
      } else if (keyword == "if") {
        const json otherwise = {{"not", FormOf(value, Opposite(sense))}};
        if (schema.contains("then")) all.push_back(AnyOf(otherwise, FormOf(schema["then"], sense)));
        if (schema.contains("else")) all.push_back(AnyOf(FormOf(value, sense), FormOf(schema["else"], sense)));
      }
    }
    if (!all.empty() && body.contains("allOf")) all.push_back({{"allOf", body["allOf"]}});
    if (!all.empty()) body["allOf"] = std::move(all);
    return body;
  }

  json FormsOf(const json& schemas, Sense sense) {
    json forms = json::array();
    for (const json& schema : schemas) forms.push_back(FormOf(schema, sense));
    return forms;
  }

  json MembersOf(const json& schemas, Sense sense) {
    json forms = json::object();
    for (const auto& [name, schema] : schemas.items()) forms[name] = FormOf(schema, sense);
    return forms;
  }

  json Defined(json form) {
    const std::string name = "names" + std::to_string(definitions_.size());
    definitions_[name] = std::move(form);
    return {{"$ref", "#/definitions/" + name}};
  }

  const json& root_;
  json definitions_ = json::object();
  std::map<std::pair<std::string, Sense>, std::string> names_;  // of the definitions, by reference
};

bool IsToBeMarked(const json& text, Texts texts) {
  return text.get_ref<const std::string&>().size() > kMaxPatternText ||
         (texts == Texts::kTemplates && MayHoldExpressions(text));
}

}  // namespace

json PossibleForm(const json& schema) { return FormBuilder(schema).Build(); }

json Marked(const json& value, Texts texts) {
  if (value.is_string()) return IsToBeMarked(value, texts) ? json(kMark) : value;
  if (!value.is_structured()) return value;
  json marked = value.is_array() ? json::array() : json::object();
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (value.is_array()) marked.push_back(Marked(*it, texts));
    if (value.is_object()) marked[it.key()] = Marked(it.value(), texts);
  }
  return marked;
}

}  // namespace cosmos
