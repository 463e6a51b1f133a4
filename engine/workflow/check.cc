#include "workflow/check.h"

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/ids.h"
#include "core/json_values.h"
#include "core/text.h"
#include "workflow/document_check.h"
#include "workflow/evaluator.h"
#include "workflow/expression.h"
#include "workflow/known_scope.h"
#include "workflow/plan_builder.h"
#include "workflow/shared_parts.h"
#include "workflow/stage_list.h"
#include "workflow/text_template.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// For a check that looks at no plugins.
class NoPlugins final : public PluginDirectory {
 public:
  const PluginFacts* Find(const std::string&) const override { return nullptr; }
  std::vector<std::string> Ids(PluginFacts::Kind) const override { return {}; }
  std::string Problem(const std::string&) const override { return ""; }
};

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> KeysOf(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

std::vector<SecretSource> SecretsOf(const json& workflow) {
  std::vector<SecretSource> secrets;
  for (const auto& [name, source] : ObjectIn(workflow, "secrets").items()) {
    secrets.push_back({name, TextIn(source, "env"), TextIn(source, "file")});
  }
  return secrets;
}

// One check, from the texts to the plan.
class WorkflowCheck {
 public:
  WorkflowCheck(const CheckInput& input, const PluginDirectory& plugins)
      : input_(input), workflow_(input.text, input.file, &plugins, &values_.environment) {
    values_.environment = input.environment ? input.environment : ProcessEnvironment;
    std::error_code error;  // a folder that is gone has no name
    values_.workflow["dir"] = (fs::current_path(error) / input.file).lexically_normal().parent_path().string();
    if (!input.config_file.empty()) {
      config_ = std::make_unique<DocumentCheck>(input.config_text, input.config_file, &plugins, &values_.environment);
    }
  }

  CheckResult Run() {
    if (CheckConfigShape()) SharedParts::CheckReferences(config_.get());
    if (!CheckWorkflowShape()) return {AllFindings(), std::nullopt};
    values_.params = ResolveParams(workflow_.document, input_.params, &workflow_.findings, &others_);
    workflow_.references.SetParams(KeysOf(ObjectIn(workflow_.document.value(), "params")));
    workflow_.references.SetSecrets(KeysOf(ObjectIn(workflow_.document.value(), "secrets")));
    ReadEnvironment();
    const bool values_known = AllFindings().empty();
    CheckReferences();

    StageList stages(&workflow_, input_.input_files);
    stages.Link();
    const json no_matrix = json::object();
    const KnownScope scope(&values_, &no_matrix, &budget_);
    stages.CheckStages(scope);
    if (values_known || AllFindings().empty()) stages.Expand(values_, &budget_);
    // Names and targets are told beside everything else; what stands in resolved values only when the rest is right.
    SetNames(scope);
    TakeTargets(scope);
    CheckStaticTargets(stages);
    if (AllFindings().empty()) PlanBuilder(&input_, &workflow_, &stages, &values_, &budget_, &plan_).Build();
    CheckResult result{AllFindings(), std::nullopt};
    if (!result.findings.empty()) return result;
    plan_.params = values_.params;
    result.plan = std::move(plan_);
    return result;
  }

  DefinedTargets Targets() {
    if (CheckConfigShape()) SharedParts::CheckTargetReferences(config_.get());
    FindingList of_params(input_.file);
    if (!input_.file.empty() && CheckWorkflowShape()) {
      values_.params = ResolveParams(workflow_.document, input_.params, &of_params, &others_);
      workflow_.references.SetParams(KeysOf(ObjectIn(workflow_.document.value(), "params")));
      SharedParts::CheckTargetReferences(&workflow_);
    }
    DefinedTargets result;
    if (AllFindings().empty()) {
      const json no_matrix = json::object();
      const KnownScope scope(&values_, &no_matrix, &budget_);
      SharedParts parts;
      parts.TakeTargets(&workflow_, scope);
      if (config_) parts.TakeTargets(config_.get(), scope);
      for (const auto& [name, config] : parts.targets()) result.targets[name] = {config, parts.PlaceOf(name)};
      result.targets.try_emplace("local", DefinedTarget{{{"local", json::object()}}, ""});
    }
    result.findings = AllFindings();
    if (result.findings.empty()) return result;
    const Findings params = of_params.Sorted();  // a value that a target lacks is told where it is declared as well
    result.findings.insert(result.findings.begin(), params.begin(), params.end());
    result.targets.clear();
    return result;
  }

 private:
  // False when there is no configuration, or nothing in it.
  bool CheckConfigShape() {
    if (!config_ || config_->document.value().is_null()) return false;
    config_->CheckShape(SchemaChecker::OfOwn(ParseJson(ConfigSchema(), kOwnJson)), "the configuration");
    config_->references.SetParams(KeysOf(ObjectIn(workflow_.document.value(), "params")));
    return true;
  }

  // False when nothing can be said of the file but its findings.
  bool CheckWorkflowShape() {
    if (workflow_.document.value().is_null()) {
      if (workflow_.findings.empty())
        workflow_.findings.Add({1, 1}, "the file is empty, expected a workflow", "begin with `version: 1`");
      return false;
    }
    workflow_.CheckShape(SchemaChecker::OfOwn(ParseJson(WorkflowSchema(), kOwnJson)), "the workflow");
    if (!input_.any_environment) workflow_.references.SetEnvironment(EnvironmentRules(DeclaredVariables()));
    return true;
  }

  std::vector<std::string> DeclaredVariables() const {
    const auto declared = workflow_.document.value().find("uses_env");
    if (declared == workflow_.document.value().end() || !declared->is_array()) return {};
    return PlainTexts(*declared);
  }

  void CheckReferences() {
    const json& value = workflow_.document.value();
    SharedParts::CheckReferences(&workflow_);
    ReferenceRules rules;
    rules.stages = false;
    rules.place = "'prompt_name'";
    rules.deferred = false;
    workflow_.references.Check(TextIn(value, "prompt_name"), NodeIn(workflow_.document.root(), "prompt_name"), rules);
    plan_.secrets = SecretsOf(value);
    const auto diagnostics = value.find("diagnostics");
    if (diagnostics != value.end() && diagnostics->is_boolean()) plan_.diagnostics = *diagnostics;
  }

  // The workflow's own `env:`. A variable may refer to those before it; its own name is that of the engine's
  // environment.
  void ReadEnvironment() {
    const json& env = ObjectIn(workflow_.document.value(), "env");
    std::vector<std::string> names;
    for (const auto& [name, node] : NodeIn(workflow_.document.root(), "env").members) {
      if (!env.contains(name)) continue;
      ReferenceRules rules;
      rules.place = "'env." + name + "'";
      rules.stages = false;
      const std::size_t before = workflow_.findings.size();
      workflow_.references.Check(env[name], node, rules);
      if (workflow_.findings.size() == before) TakeVariable(name, env[name], node);
      names.push_back(name);
      workflow_.references.SetOwnEnvironment(names);
    }
  }

  void TakeVariable(const std::string& name, const json& text, const YamlNode& node) {
    const json no_matrix = json::object();
    const KnownScope scope(&values_, &no_matrix, &budget_);
    const auto known = workflow_.Resolved("'env." + name + "'", node, [&] { return ResolveKnown(text, scope); });
    if (!known) return;
    const TextTemplate value = TextTemplate::Parse(TextOf(*known));
    if (value.has_expressions()) {
      values_.deferred[{"env", name}] = value.AsExpression();
    } else {
      values_.env[name] = value.Value(scope);
    }
  }

  void SetNames(const KnownScope& scope) {
    const json& value = workflow_.document.value();
    plan_.name = TextIn(value, "name");
    if (plan_.name.empty()) plan_.name = SafeNameOf(fs::path(input_.file).stem().string());
    plan_.prompt_name = plan_.name;
    const std::string given = TextIn(value, "prompt_name");
    if (given.empty()) return;
    const YamlNode& node = NodeIn(workflow_.document.root(), "prompt_name");
    if (!TextTemplate::MayHaveExpressions(given) && !IsSafeName(given)) {
      workflow_.findings.Add(node.value, "'prompt_name': '" + given + "' is not a usable name",
                             "use 1 to 128 of the characters A-Z a-z 0-9 . _ -");
    }
    if (!AllFindings().empty()) return;
    const auto name = workflow_.Resolved("'prompt_name'", node, [&] { return Resolve(given, scope); });
    if (name)
      plan_.prompt_name = name->is_string() && IsSafeName(name->get<std::string>()) ? name->get<std::string>()
                                                                                    : SafeNameOf(PlainText(*name));
  }

  void TakeTargets(const KnownScope& scope) {
    if (!AllFindings().empty()) return;
    SharedParts parts;
    parts.Take(&workflow_, scope);
    if (config_) parts.Take(config_.get(), scope);
    plan_.targets = parts.targets();
    plan_.targets.emplace("local", json{{"local", json::object()}});
    plan_.hooks = parts.hooks();
    if (config_) TakeLog(config_->document.value());
    TakeLog(workflow_.document.value());
    CheckDefaultTarget();
  }

  void TakeLog(const json& value) {
    plan_.max_log_bytes = ObjectIn(value, "log").value("max_bytes", plan_.max_log_bytes);
  }

  void CheckDefaultTarget() {
    if (input_.default_target.empty() || plan_.targets.count(input_.default_target) > 0) return;
    std::vector<std::string> names;
    for (const auto& [name, target] : plan_.targets) names.push_back(name);
    others_.push_back({"--target " + input_.default_target, 0, 0, "there is no target '" + input_.default_target + "'",
                       Suggestion(input_.default_target, names)});
  }

  // Unknown targets are also told when something else is wrong, so that everything is told at once.
  void CheckStaticTargets(const StageList& stages) {
    std::vector<std::string> names = KeysOf(ObjectIn(workflow_.document.value(), "targets"));
    if (config_) {
      for (const std::string& name : KeysOf(ObjectIn(config_->document.value(), "targets"))) names.push_back(name);
    }
    names.push_back("local");
    const auto check = [&](const StageSource& stage) {
      const std::string target = TextIn(*stage.value, "target");
      if (target.empty() || TextTemplate::MayHaveExpressions(target)) return;
      if (std::find(names.begin(), names.end(), target) != names.end()) return;
      workflow_.findings.Add(NodeIn(*stage.node, "target").value,
                             "'target' of " + stage.name() + ": there is no target '" + target + "'",
                             Suggestion(target, names));
    };
    for (const StageSource& stage : stages.stages()) check(stage);
    for (const StageSource& handler : stages.handlers()) check(handler);
  }

  Findings AllFindings() const {
    Findings all = workflow_.findings.Sorted();
    if (config_) {
      for (Finding& finding : config_->findings.Sorted()) all.push_back(std::move(finding));
    }
    all.insert(all.end(), others_.begin(), others_.end());
    return all;
  }

  const CheckInput& input_;
  KnownValues values_;
  DocumentCheck workflow_;
  std::unique_ptr<DocumentCheck> config_;
  Findings others_;  // of params given from outside
  WorkBudget budget_;
  Plan plan_;
};

}  // namespace

CheckResult Check(const CheckInput& input, const PluginDirectory& plugins) {
  return WorkflowCheck(input, plugins).Run();
}

DefinedTargets CheckTargets(const CheckInput& input) {
  CheckInput whole = input;
  if (whole.file.empty()) whole.text = "{}";  // no workflow, rather than an empty one
  const NoPlugins plugins;
  return WorkflowCheck(whole, plugins).Targets();
}

}  // namespace cosmos
