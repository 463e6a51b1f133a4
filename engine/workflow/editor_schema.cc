#include "workflow/editor_schema.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/schema_explainer.h"
#include "workflow/schema_pattern.h"
#include "workflow/schema_walk.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr const char* kExpression = "\\$\\{\\{";
// As ParseDuration has it, but for its greatest value.
constexpr const char* kDuration = "^([0-9]+[.]?[0-9]*|[.][0-9]+|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ms|s|m|h|d))+)$";

// The keywords that judge values of one kind alone. `number` stands for `integer` as well.
const std::map<std::string, std::vector<std::string>>& KeywordsOfKinds() {
  static const std::map<std::string, std::vector<std::string>> kKeywords = {
      {"number", {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}},
      {"string", {"minLength", "maxLength", "pattern", "format"}},
      {"array", {"items", "minItems", "maxItems", "uniqueItems", "contains"}},
      {"object",
       {"required", "properties", "patternProperties", "additionalProperties", "propertyNames", "minProperties",
        "maxProperties", "dependencies"}}};
  return kKeywords;
}

std::string KindOf(const std::string& type) { return type == "integer" ? "number" : type; }

std::vector<std::string> TypesOf(const json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return {};
  return type->is_array() ? type->get<std::vector<std::string>>() : std::vector<std::string>{type->get<std::string>()};
}

bool IsIn(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

json TextWithExpression() { return {{"type", "string"}, {"pattern", kExpression}}; }

// The steps of a reference that say something: of `#/definitions/stage/properties/uses`, stage and uses.
std::vector<std::string> StepsOf(const std::string& reference) {
  std::vector<std::string> steps = {""};
  for (const char c : reference) {
    const bool is_plain = (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '_' || c == '-';
    if (is_plain) steps.back() += c;
    if (!is_plain && !steps.back().empty()) steps.emplace_back();
  }
  const auto says_nothing = [](const std::string& step) {
    return step.empty() || step == "definitions" || step == "properties";
  };
  steps.erase(std::remove_if(steps.begin(), steps.end(), says_nothing), steps.end());
  return steps;
}

// Whether each of the branches asks for nothing but keys, so that expressions change nothing about which ones fit.
bool AskForKeysAlone(const json& branches) {
  return std::all_of(branches.begin(), branches.end(), [](const json& branch) {
    return branch.is_object() && branch.size() == 1 && branch.contains("required");
  });
}

bool MatchesOne(const std::string& pattern, std::initializer_list<const char*> samples) {
  return std::any_of(samples.begin(), samples.end(), [&](const char* text) { return MatchesPattern(text, pattern); });
}

// The values of an enum, and the numbers and booleans that are written as one of its texts.
json WithScalars(const json& values) {
  json all = values;
  for (const json& value : values) {
    if (!value.is_string()) continue;
    const json scalar = TryParseJson(value.get_ref<const std::string&>());
    const bool fits = scalar.is_number() || scalar.is_boolean();
    if (fits && std::find(all.begin(), all.end(), scalar) == all.end()) all.push_back(scalar);
  }
  return all;
}

// What a form is for, of values that hold expressions: to take all that may fit in the end, or only what fits whatever
// they become. What `not` refuses in one sense it takes in the other.
enum class Sense { kPossible, kCertain };

Sense Opposite(Sense sense) { return sense == Sense::kPossible ? Sense::kCertain : Sense::kPossible; }

// Where a schema stands.
struct Site {
  bool expressions = true;  // whether they are allowed
  Sense sense = Sense::kPossible;
  bool is_key = false;             // it judges a key, which is a text without expressions
  bool is_part = false;            // it judges the same value as the schema around it, which sees to expressions
  std::string type;                // that the value has, as the schemas around it demand; empty: any
  json defaults = json::object();  // of the value's members, as the schemas around it have them

  // Of a member, an element or (`key`) a key.
  Site Below(bool key = false) const { return {expressions, sense, key, false, key ? "string" : "", json::object()}; }
};

class FormBuilder {
 public:
  explicit FormBuilder(const json& root) : root_(root) {}

  json Build() {
    json form = FormOf(root_, {});
    if (!form.is_object()) return form;
    form["$schema"] = "http://json-schema.org/draft-07/schema#";
    if (!definitions_.empty()) form["definitions"] = std::move(definitions_);
    return form;
  }

 private:
  json FormOf(const json& schema, Site site) {
    if (!schema.is_object()) return schema;
    site.expressions = schema.value("x-expressions", site.expressions);
    json form = schema.contains("$ref") ? ReferenceTo(schema, site) : BodyOf(schema, site);
    for (const char* annotation : {"title", "description", "default"}) {
      if (form.is_object() && schema.contains(annotation)) form[annotation] = schema[annotation];
    }
    return form;
  }

  json ReferenceTo(const json& schema, const Site& site) {
    const std::string reference = schema["$ref"];
    const auto [entry, is_new] =
        names_.try_emplace({reference, site.expressions, site.sense, site.is_key}, FreeName(reference));
    const std::string name = entry->second;
    if (is_new) {
      definitions_[name] = nullptr;  // taken, also for what refers to itself
      Site there = site.Below(site.is_key);
      there.type.clear();
      definitions_[name] = FormOf(Referred(root_, schema), there);
    }
    return {{"$ref", "#/definitions/" + name}};
  }

  // A name that no definition has yet, made of the place that is referred to.
  std::string FreeName(const std::string& reference) const {
    const std::string steps = Join(StepsOf(reference), ".");
    const std::string name = steps.empty() ? "root" : steps;
    std::string free = name;
    for (int n = 2; definitions_.contains(free); ++n) free = name + "-" + std::to_string(n);
    return free;
  }

  // All but annotations.
  json BodyOf(const json& schema, const Site& site) {
    const std::vector<std::string> types = TypesOf(schema);
    json alternatives = AlternativesOf(schema, types, site);
    if (!types.empty() && alternatives.empty()) return false;
    json body = PartsOf(schema, alternatives.size() == 1 ? KnownType(alternatives[0]) : site.type, site);
    const bool fits_expressions = body.empty() && FitsExpressions(schema);
    if (types.empty()) AddUntyped(schema, site, &body);
    const bool sees_to_expressions = !site.is_part && !site.is_key;
    const bool may_become_anything = site.expressions && site.sense == Sense::kPossible;
    if (sees_to_expressions && !may_become_anything && MayFitExpressions(schema)) {
      Demand({{"not", TextWithExpression()}}, &body);
    }
    const bool adds_expressions = sees_to_expressions && may_become_anything && !fits_expressions;
    if (alternatives.size() == 1) {
      body.update(alternatives[0]);
    } else if (!alternatives.empty()) {
      if (adds_expressions && body.empty()) {
        alternatives.push_back(TextWithExpression());
        return {{"anyOf", std::move(alternatives)}};
      }
      Demand({{"anyOf", std::move(alternatives)}}, &body);
    }
    if (!adds_expressions) return body;
    return {{"anyOf", {std::move(body), TextWithExpression()}}};
  }

  // Whether a text with an expression fits the schema, which is of one piece, in any case; and whether one may.
  static bool FitsExpressions(const json& schema) {
    return TakesTexts(schema) && !schema.contains("pattern") && !schema.contains("maxLength") &&
           schema.value("format", "") != "duration";
  }
  static bool MayFitExpressions(const json& schema) {
    return TakesTexts(schema) && !schema.contains("enum") && !schema.contains("const") &&
           schema.value("format", "") != "duration" &&
           (!schema.contains("pattern") || MatchesOne(schema["pattern"], {"${{ a }}", "a${{ a }}"}));
  }
  static bool TakesTexts(const json& schema) {
    const std::vector<std::string> types = TypesOf(schema);
    return types.empty() || IsIn(types, "string");
  }

  // The type that an alternative demands; of a type and null, the type.
  static std::string KnownType(const json& alternative) {
    const json& type = alternative["type"];
    return type.is_array() ? type[0].get<std::string>() : type.get<std::string>();
  }

  // Adds a demand to a schema.
  static void Demand(const json& demand, json* body) {
    const bool is_free = std::none_of(demand.items().begin(), demand.items().end(),
                                      [&](const auto& item) { return body->contains(item.key()); });
    if (is_free) {
      body->update(demand);
    } else {
      (*body)["allOf"].push_back(demand);
    }
  }

  // A schema for each type that the value may have, with the keywords of that type; a text may be written as a number.
  json AlternativesOf(const json& schema, std::vector<std::string> types, const Site& site) {
    if (IsIn(types, "string") && !site.is_key) AddScalarTypes(schema, &types);
    json alternatives = json::array();
    for (const std::string& type : types) {
      if (!site.type.empty() && KindOf(type) != KindOf(site.type)) continue;
      json alternative = KindPart(KindOf(type), schema, site);
      alternative["type"] = site.type == "integer" ? site.type : type;
      alternatives.push_back(std::move(alternative));
    }
    if (alternatives.size() == 2 && types.size() == 2 && types[1] == "null") {
      alternatives.erase(1);
      alternatives[0]["type"] = types;  // the one union that ajv takes for a matter of course
    }
    return alternatives;
  }

  // The types of scalars that are taken for a text here.
  static void AddScalarTypes(const json& schema, std::vector<std::string>* types) {
    const json samples = ScalarsFor(schema);
    const bool whole = !IsIn(*types, "number") && schema.contains("pattern") && !MatchesOne(schema["pattern"], {"1.5"});
    for (const json& sample : samples) {
      const std::string type = sample.is_boolean() ? "boolean" : whole ? "integer" : "number";
      if (!IsIn(*types, type)) types->push_back(type);
    }
    if (IsIn(*types, "number")) types->erase(std::remove(types->begin(), types->end(), "integer"), types->end());
  }

  // Numbers and booleans that fit a text's schema as they are written, all or as samples.
  static json ScalarsFor(const json& schema) {
    json scalars = json::array();
    if (schema.contains("enum") || schema.contains("const")) {
      const json words = schema.contains("enum") ? schema["enum"] : json::array({schema["const"]});
      for (const json& word : WithScalars(words)) {
        if (word.is_number() || word.is_boolean()) scalars.push_back(word);
      }
      return scalars;
    }
    if (schema.value("format", "") == "duration") return {0};
    if (!schema.contains("pattern")) return {0, true};
    if (MatchesOne(schema["pattern"], {"0", "1", "25", "-1", "1.5"})) scalars.push_back(0);
    if (MatchesOne(schema["pattern"], {"true", "false"})) scalars.push_back(true);
    return scalars;
  }

  // The keywords of one kind of values.
  json KindPart(const std::string& kind, const json& schema, const Site& site) {
    if (kind == "object") return ObjectPart(schema, site);
    json part = json::object();
    const auto keywords = KeywordsOfKinds().find(kind);
    if (keywords == KeywordsOfKinds().end()) return part;
    for (const std::string& keyword : keywords->second) {
      if (!schema.contains(keyword)) continue;
      const json& value = schema[keyword];
      if (keyword == "items" || keyword == "contains") {
        if (!value.is_array()) part[keyword] = FormOf(value, site.Below());
      } else if (keyword != "format") {
        part[keyword] = value;
      } else if (value == "duration") {
        Demand({{"pattern", kDuration}}, &part);
      }
    }
    const bool is_seconds = kind == "number" && schema.value("format", "") == "duration";
    if (is_seconds && !part.contains("minimum")) part["minimum"] = 0;
    return part;
  }

  json ObjectPart(const json& schema, const Site& site) {
    json part = json::object();
    const json defaults = DefaultsOf(schema, site);
    for (const char* keyword : {"maxProperties", "minProperties"}) {
      if (schema.contains(keyword) && defaults.empty()) part[keyword] = schema[keyword];
    }
    for (const char* keyword : {"properties", "patternProperties"}) {
      if (schema.contains(keyword)) part[keyword] = MembersOf(schema[keyword], site);
    }
    if (schema.contains("additionalProperties")) {
      part["additionalProperties"] = FormOf(schema["additionalProperties"], site.Below());
    }
    if (schema.contains("propertyNames")) part["propertyNames"] = FormOf(schema["propertyNames"], site.Below(true));
    for (const json& name : RequiredOf(schema, defaults, site.defaults)) {
      part["required"].push_back(name);
      if (!part["properties"].contains(name)) part["properties"][name.get<std::string>()] = true;
    }
    for (const auto& [name, needed] : ObjectIn(schema, "dependencies").items()) {
      part["dependencies"][name] = needed.is_array() ? needed : FormOf(needed, PartOf(site, "object", defaults));
    }
    return part;
  }

  json MembersOf(const json& schemas, const Site& site) {
    json forms = json::object();
    for (const auto& [name, schema] : schemas.items()) forms[name] = FormOf(schema, site.Below());
    return forms;
  }

  // Of the members, those of the schemas around included.
  json DefaultsOf(const json& schema, const Site& site) const {
    json defaults = site.defaults;
    for (const auto& [name, property] : ObjectIn(schema, "properties").items()) {
      const json& member = Dereferenced(root_, property);
      if (member.is_object() && member.contains("default")) defaults[name] = member["default"];
    }
    return defaults;
  }

  // The keys that a file must have: those without a default, and those whose default, which the schemas around have,
  // does not fit here.
  json RequiredOf(const json& schema, const json& defaults, const json& outer_defaults) const {
    json required = json::array();
    for (const json& name : schema.value("required", json::array())) {
      if (!defaults.contains(name)) required.push_back(name);
    }
    for (const auto& [name, property] : ObjectIn(schema, "properties").items()) {
      if (outer_defaults.contains(name) && !Fits(property, outer_defaults[name])) required.push_back(name);
    }
    return required;
  }

  bool Fits(const json& schema, const json& value) const {
    const json alone = {{"allOf", {schema}}, {"definitions", ObjectIn(root_, "definitions")}};
    return SchemaExplainer(&alone).Explain(value, Texts::kPlain, {}, "the default").empty();
  }

  static Site PartOf(Site site, const std::string& type, json defaults) {
    site.is_part = true;
    site.type = type;
    site.defaults = std::move(defaults);
    return site;
  }

  // Keywords that go with any type, `type` being the value's where it is known.
  json PartsOf(const json& schema, const std::string& type, const Site& site) {
    const Site inner = PartOf(site, type, DefaultsOf(schema, site));
    json parts = json::object();
    if (schema.contains("enum")) parts["enum"] = TakesTexts(schema) ? WithScalars(schema["enum"]) : schema["enum"];
    if (schema.contains("const")) AddConstant(schema, &parts);
    for (const char* keyword : {"allOf", "anyOf"}) {
      if (schema.contains(keyword)) parts[keyword] = FormsOf(schema[keyword], inner);
    }
    if (schema.contains("oneOf")) AddOneOf(schema, inner, &parts);
    if (schema.contains("not")) {
      Site opposite = inner;
      opposite.sense = Opposite(inner.sense);
      parts["not"] = FormOf(schema["not"], opposite);
    }
    if (schema.contains("if")) AddCondition(schema, inner, &parts);
    return parts;
  }

  static void AddConstant(const json& schema, json* parts) {
    const json words = WithScalars(json::array({schema["const"]}));
    if (words.size() == 1) {
      (*parts)["const"] = schema["const"];
    } else {
      Demand({{"enum", words}}, parts);
    }
  }

  json FormsOf(const json& schemas, const Site& site) {
    json forms = json::array();
    for (const json& schema : schemas) forms.push_back(FormOf(schema, site));
    return forms;
  }

  void AddOneOf(const json& schema, const Site& inner, json* parts) {
    const json& branches = schema["oneOf"];
    if (schema.contains("discriminator")) {
      AddChoice(schema, inner, parts);
    } else if (AskForKeysAlone(branches)) {
      (*parts)["oneOf"] = FormsOf(branches, inner);
    } else {
      Demand({{"anyOf", FormsOf(branches, inner)}}, parts);
    }
  }

  // For each branch: if the property that chooses has its value, then the branch.
  void AddChoice(const json& schema, const Site& inner, json* parts) {
    const std::string chooser = schema["discriminator"]["propertyName"];
    for (const json& raw : schema["oneOf"]) {
      json branch = Dereferenced(root_, raw);
      if (!ObjectIn(ObjectIn(branch, "properties"), chooser.c_str()).contains("const")) continue;  // is never chosen
      json& property = branch["properties"][chooser];
      const json condition = {{"properties", {{chooser, property}}}, {"required", {chooser}}};
      const json description = ObjectIn(ObjectIn(schema, "properties"), chooser.c_str()).value("description", json());
      if (!property.contains("description") && !description.is_null()) property["description"] = description;
      AddCondition({{"if", condition}, {"then", branch}}, inner, parts);
    }
  }

  // An `if` whose truth depends on an expression demands nothing.
  void AddCondition(const json& schema, const Site& inner, json* parts) {
    Site opposite = inner;
    opposite.sense = Opposite(inner.sense);
    json then = {{"if", FormOf(schema["if"], opposite)}};
    json otherwise = {{"if", FormOf(schema["if"], inner)}};
    if (schema.contains("then")) then["then"] = FormOf(schema["then"], inner);
    if (schema.contains("else")) otherwise["else"] = FormOf(schema["else"], inner);
    if (then["if"] == otherwise["if"]) then.update(std::exchange(otherwise, json::object()));
    for (const json& condition : {then, otherwise}) {
      if (condition.size() > 1) (*parts)["allOf"].push_back(condition);
    }
  }

  // Keywords of a schema without a type judge values of their kind, and take all others.
  void AddUntyped(const json& schema, const Site& site, json* body) {
    for (const auto& [kind, keywords] : KeywordsOfKinds()) {
      if (!site.type.empty() && KindOf(site.type) != kind) continue;
      if (std::none_of(keywords.begin(), keywords.end(), [&](const auto& word) { return schema.contains(word); }))
        continue;
      json part = KindPart(kind, schema, site);
      if (part.empty()) continue;
      if (site.type.empty()) {
        part["type"] = kind;
        Demand({{"anyOf", {part, {{"not", {{"type", kind}}}}}}}, body);
      } else {
        Demand(part, body);
      }
    }
  }

  const json& root_;
  json definitions_ = json::object();
  std::map<std::tuple<std::string, bool, Sense, bool>, std::string> names_;  // of definitions, by reference and site
};

}  // namespace

json EditorSchema(const json& schema) { return FormBuilder(schema).Build(); }

}  // namespace cosmos
