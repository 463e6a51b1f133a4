#include "workflow/params.h"

#include <charconv>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/schema_explainer.h"
#include "workflow/schema_texts.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string TypeOf(const json& declaration) {
  return declaration.contains("type") && declaration["type"].is_string() ? declaration["type"].get<std::string>() : "";
}

SchemaProblems ProblemsOf(const json& value, const json& declaration, const SchemaPath& path) {
  const json schema = SchemaOfParam(declaration);
  return SchemaExplainer(&schema).Explain(value, Texts::kPlain, path, "");
}

// A value without a declared type: JSON where it is some, else a text.
json Guessed(const std::string& text) {
  const json value = TryParseJson(text);
  return value.is_discarded() ? json(text) : value;
}

json ListOf(const std::string& text, const json& declaration) {
  if (!text.empty() && text[0] == '[') return Guessed(text);
  const bool has_items = declaration.contains("items") && declaration["items"].is_object();
  const json items = has_items ? declaration["items"] : json::object();
  json list = json::array();
  for (size_t start = 0; !text.empty() && start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    const std::string element = text.substr(start, comma - start);
    list.push_back(TypeOf(items).empty() ? Guessed(element) : ParamValueOf(element, items));
    start = comma + 1;
  }
  return list;
}

template <typename Number>
json NumberOr(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? json(number) : json(text);
}

// Gathers values for the declared params and tells of what does not fit.
class Resolver {
 public:
  Resolver(const YamlDocument& workflow, FindingList* findings, Findings* others)
      : findings_(findings), others_(others) {
    const json& value = workflow.value();
    const YamlNode* node = workflow.root().Member("params");
    if (node == nullptr || !value.contains("params") || !value["params"].is_object()) return;
    for (const auto& [name, member] : node->members) {
      const json& declaration = value["params"][name];
      if (!declaration.is_object()) continue;
      names_.push_back(name);
      declarations_[name] = declaration;
      const YamlNode* const words = member.Member("enum");
      if (words != nullptr)
        KeepTexts({{"items", SchemaOfParam({{"type", TypeOf(declaration)}})}}, *words, &declarations_[name]["enum"]);
      places_[name] = &member;
    }
  }

  void TakeDefaults() {
    for (const std::string& name : names_) {
      const json& declaration = declarations_[name];
      if (!declaration.contains("default")) continue;
      values_[name] = declaration["default"];
      const YamlNode* place = places_[name]->Member("default");
      KeepTexts(SchemaOfParam(declaration), *place, &values_[name]);
      for (const SchemaProblem& problem : ProblemsOf(values_[name], declaration, {"params", name, "default"})) {
        findings_->Add(place->Nearest(Below(problem.path, 3))->value, problem.message, problem.hint);
      }
    }
  }

  void TakeFile(const std::string& file, const std::string& text) {
    if (file.empty() && text.empty()) return;
    // Whatever JSON writes, such as escapes of surrogate pairs, is read as JSON.
    const json as_json = TryParseJson(text);
    const YamlDocument document = YamlDocument::Parse(as_json.is_object() ? "{}" : text, file);
    const json& given = as_json.is_object() ? as_json : document.value();
    FindingList list = document.findings();
    if (list.empty() && !given.is_object())
      list.Add({1, 1}, "expected an object with values of params", "write NAME: VALUE");
    const json values = given.is_object() ? given : json::object();
    for (const auto& [name, value] : values.items()) {
      const YamlNode* node = document.root().Nearest(SchemaPath{name});
      if (declarations_.count(name) == 0) {
        list.Add(node->key, "the workflow has no param '" + name + "'", Suggestion(name, names_));
        continue;
      }
      values_[name] = value;
      KeepTexts(SchemaOfParam(declarations_[name]), *node, &values_[name]);
      for (const SchemaProblem& problem : ProblemsOf(values_[name], declarations_[name], {"params", name})) {
        list.Add(node->Nearest(Below(problem.path, 2))->value, problem.message, problem.hint);
      }
    }
    for (Finding& finding : list.Sorted()) others_->push_back(std::move(finding));
  }

  void TakeOverride(const std::string& text) {
    const auto add = [&](const std::string& message, const std::string& hint) {
      others_->push_back({"-p " + TruncateUtf8(text, text.size()), 0, 0, message, hint});
    };
    const size_t equals = text.find('=');
    if (equals == text.npos || equals == 0) return add("expected NAME=VALUE", "write -p NAME=VALUE");
    if (TruncateUtf8(text, text.size()) != text) return add("the text is not UTF-8", "give it in UTF-8");
    const std::string name = text.substr(0, equals);
    if (declarations_.count(name) == 0) {
      return add("the workflow has no param '" + name + "'", Suggestion(name, names_));
    }
    values_[name] = ParamValueOf(text.substr(equals + 1), declarations_[name]);
    for (const SchemaProblem& problem : ProblemsOf(values_[name], declarations_[name], {"params", name})) {
      add(problem.message, problem.hint);
    }
  }

  json Finish(const std::set<std::string>& deferred) {
    for (const std::string& name : deferred) values_.erase(name);
    for (const std::string& name : names_) {
      if (values_.contains(name) || deferred.count(name) > 0) continue;
      findings_->Add(places_[name]->key, "param '" + name + "' has no value",
                     "give it with -p " + name + "=VALUE, or write a default");
    }
    return std::move(values_);
  }

 private:
  static SchemaPath Below(const SchemaPath& path, size_t first) {
    return SchemaPath(path.begin() + static_cast<std::ptrdiff_t>(std::min(first, path.size())), path.end());
  }

  FindingList* findings_;
  Findings* others_;
  std::vector<std::string> names_;
  std::map<std::string, json> declarations_;
  std::map<std::string, const YamlNode*> places_;
  json values_ = json::object();
};

}  // namespace

json SchemaOfParam(const json& declaration) {
  json schema = json::object();
  const std::string type = TypeOf(declaration);
  if (!type.empty()) schema["type"] = type == "path" ? "string" : type;
  if (declaration.contains("enum") && declaration["enum"].is_array()) schema["enum"] = declaration["enum"];
  for (const char* limit : {"minimum", "maximum"}) {
    if (declaration.contains(limit) && declaration[limit].is_number()) schema[limit] = declaration[limit];
  }
  if (declaration.contains("items") && declaration["items"].is_object()) {
    schema["items"] = SchemaOfParam(declaration["items"]);
  }
  return schema;
}

json ParamValueOf(const std::string& text, const json& declaration) {
  const std::string type = TypeOf(declaration);
  if (type == "integer") return NumberOr<std::int64_t>(text);
  if (type == "number") return NumberOr<double>(text);
  if (type == "boolean") return text == "true" ? json(true) : text == "false" ? json(false) : json(text);
  if (type == "array") return ListOf(text, declaration);
  if (type == "object") return Guessed(text);
  return text;
}

json ResolveParams(const YamlDocument& workflow, const ParamSources& sources, FindingList* findings, Findings* others) {
  Resolver resolver(workflow, findings, others);
  resolver.TakeDefaults();
  resolver.TakeFile(sources.file, sources.text);
  for (const std::string& text : sources.overrides) resolver.TakeOverride(text);
  return resolver.Finish(sources.deferred);
}

}  // namespace cosmos
