// Every key and form of the language, without any expression: what the schema allows must stand in a file that has
// nothing else in it that could let the check look away.

#include <set>

#include "core/json_values.h"
#include "workflow/language_forms.h"
#include "workflow/schema_walk.h"
#include "workflow/workflow_schema.h"
#include "workflow/workflow_test_support.h"
#include "workflow/yaml_document.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::IsEmpty;

std::string TypeOf(const json& value) {
  return value.is_number_integer() ? "integer" : value.is_number() ? "number" : value.type_name();
}

// The forms of a schema, as `place: form`. `forms` are those that a value took; without a value, all that there are.
class Forms {
 public:
  explicit Forms(const json& root) : root_(root) {}

  // Notes the forms that `value` takes.
  void Take(const json& value) { Visit(root_, &value, ""); }
  // Notes all.
  void TakeAll() { Visit(root_, nullptr, ""); }
  const std::set<std::string>& forms() const { return forms_; }

 private:
  // A definition has the same forms wherever it is referred to.
  void Visit(const json& raw, const json* value, const std::string& at) {
    const json& schema = Dereferenced(root_, raw);
    if (!schema.is_object()) return;
    const std::string place = PlaceOf(raw, at);
    if (value != nullptr) {
      forms_.insert(place + ": " + TypeOf(*value));
      if (value->is_number()) forms_.insert(place + ": number");  // an integer is one as well
      if (schema.contains("enum")) forms_.insert(place + ": " + value->dump());
    } else {
      for (const json& type : TypesOf(schema)) forms_.insert(place + ": " + type.get<std::string>());
      for (const json& word : schema.value("enum", json::array())) forms_.insert(place + ": " + word.dump());
    }
    for (const char* branches : {"oneOf", "anyOf"}) {
      for (const json& branch : schema.value(branches, json::array())) {
        if (value == nullptr || Accepts(branch, *value)) Visit(branch, value, place);
      }
    }
    for (const auto& [name, sub] : ObjectIn(schema, "properties").items()) {
      if (value == nullptr || value->contains(name))
        Visit(sub, value ? &(*value)[name] : nullptr, place + "/properties/" + name);
    }
    const json others = schema.value("additionalProperties", json());
    if (others.is_object()) VisitElements(schema["additionalProperties"], value, place + "/*");
    if (schema.contains("items")) VisitElements(schema["items"], value, place + "/*");
  }

  // The definition that `raw` stands for in the end, or `at`.
  std::string PlaceOf(const json& raw, const std::string& at) const {
    if (!raw.is_object() || !raw.contains("$ref")) return at;
    const std::string reference = raw["$ref"];
    return PlaceOf(root_.at(json::json_pointer(reference.substr(1))), reference);
  }

  static json TypesOf(const json& schema) {
    const json types = schema.value("type", json::array());
    return types.is_array() ? types : json::array({types});
  }

  bool Accepts(const json& branch, const json& value) const {
    const json types = TypesOf(Dereferenced(root_, branch));
    return types.empty() || std::find(types.begin(), types.end(), TypeOf(value)) != types.end();
  }

  void VisitElements(const json& schema, const json* value, const std::string& place) {
    if (value == nullptr) return Visit(schema, nullptr, place);
    if (!value->is_structured()) return;
    for (const json& element : *value) Visit(schema, &element, place);
  }

  const json& root_;
  std::set<std::string> forms_;
};

TEST(LanguageFormsTest, EveryFormStandsWithoutAnExpression) {
  FakePlugins plugins;
  plugins.Add("patient", PluginFacts::Kind::kStage, R"({"x-oom-steps": ["offload", "more_gpus", "fewer_frames"]})");
  for (const std::string& text : WorkflowsOfAllForms()) {
    EXPECT_THAT(TextsOf(Check(InputOf(text), plugins).findings), IsEmpty()) << text;
  }
  CheckInput input = InputOf("version: 1\nstages: {a: {uses: noop, target: far}}\n");
  input.config_file = "config.yaml";
  input.config_text = kConfigOfAllForms;
  EXPECT_THAT(FindingsOf(input), IsEmpty());
}

TEST(LanguageFormsTest, NoneIsForgotten) {
  const json schema = json::parse(WorkflowSchema());
  Forms all(schema);
  all.TakeAll();
  Forms taken(schema);
  for (const std::string& text : WorkflowsOfAllForms()) taken.Take(YamlDocument::Parse(text, "w.yaml").value());
  for (const std::string& form : all.forms()) EXPECT_EQ(taken.forms().count(form), 1u) << form;
}

// A file is judged alike whether or not an expression stands somewhere in it.
TEST(LanguageFormsTest, AnExpressionElsewhereChangesNothing) {
  const std::string rest = "stages:\n  a: {uses: shell, with: {run: 'echo ${{ run.id }}'}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nenv: {A: b}\n" + rest), IsEmpty());
  EXPECT_EQ(FindingsOf("version: 1\nenv: {'1': b}\n" + rest),
            std::vector<std::string>{"w.yaml:2:7: '1' in 'env' is not a usable name; use letters, digits and '_'"});
}

}  // namespace
}  // namespace cosmos
