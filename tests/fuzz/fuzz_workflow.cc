#include <stdexcept>

#include "fuzz/fuzz_targets.h"
#include "workflow/check.h"
#include "workflow/evaluator.h"
#include "workflow/expression.h"
#include "workflow/text_template.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;

// One plugin with parameters of every kind, and one hook.
class Plugins final : public PluginDirectory {
 public:
  Plugins() {
    stage_.id = "shell";
    stage_.parameters = json::parse(R"json({
      "type": "object", "additionalProperties": false,
      "oneOf": [{"required": ["run"]}, {"required": ["argv"]}],
      "properties": {
        "run": {"type": "string", "minLength": 1, "x-no-secrets": true},
        "argv": {"type": "array", "items": {"type": "string"}},
        "name": {"type": "string", "pattern": "^[a-z]+(,[a-z]+)*$"},
        "wait": {"type": ["string", "number"], "format": "duration"},
        "outputs": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}}
      }})json");
    stage_.outputs = json::object();
    stage_.outputs_from = "outputs";
    hook_ = stage_;
    hook_.id = "hook";
    hook_.kind = PluginFacts::Kind::kHook;
  }

  const PluginFacts* Find(const std::string& id) const override {
    return id == "shell" ? &stage_ : id == "hook" ? &hook_ : nullptr;
  }
  std::vector<std::string> Ids(PluginFacts::Kind kind) const override {
    return {kind == PluginFacts::Kind::kStage ? "shell" : "hook"};
  }
  std::string Problem(const std::string&) const override { return ""; }

 private:
  PluginFacts stage_;
  PluginFacts hook_;
};

CheckInput InputOf(std::string_view text) {
  CheckInput input;
  input.file = "w.yaml";
  input.text = text;
  input.input_files = false;
  input.environment = [](const std::string& name) {
    return name == "HOME" ? std::optional<std::string>("/home/me") : std::nullopt;
  };
  return input;
}

// A plan or findings, and neither both nor nothing.
void CheckOne(const CheckInput& input) {
  static const Plugins plugins;
  const CheckResult result = Check(input, plugins);
  if (result.plan.has_value() != result.findings.empty()) throw std::logic_error("a check without a result");
  for (const Finding& finding : result.findings) ToText(finding);
}

class Values final : public Scope {
 public:
  std::optional<json> Find(const std::vector<std::string>& path) const override {
    if (path.size() < 2 || path[1] == "none") return std::nullopt;
    return json{{"a", {1, "b", nullptr, {{"a", 0.5}}}}, {"text", path[1]}};
  }
};

}  // namespace

void FuzzWorkflow(std::string_view input) { CheckOne(InputOf(input)); }

void FuzzExpression(std::string_view input) {
  const Values values;
  try {
    const Expression expression = ParseExpression(input);
    if (ToSource(ParseExpression(ToSource(expression))) != ToSource(expression)) {
      throw std::logic_error("an expression changes when it is written and read");
    }
    Simplify(expression, values);
    Evaluate(expression, values);
  } catch (const Error&) {
  }
  try {
    const TextTemplate text = TextTemplate::Parse(input);
    text.Simplified(values);
    text.Value(values);
  } catch (const Error&) {
  }
}

void FuzzParams(std::string_view input) {
  CheckInput check = InputOf(
      "version: 1\nname: w\nparams:\n  a: {type: array, items: {type: integer}, default: []}\n  o: {type: object, "
      "default: {}}\n  x: {default: 1}\n  s: {type: string, default: ''}\nstages:\n  a: {uses: shell, with: {run: "
      "\"${{ params.s }} ${{ params.x }}\"}}\n");
  check.params.file = "params.json";
  check.params.text = input;
  CheckOne(check);
  check.params = {};
  for (const char* name : {"a=", "o=", "x=", "s=", ""}) check.params.overrides.push_back(name + std::string(input));
  CheckOne(check);
}

}  // namespace cosmos::testing
