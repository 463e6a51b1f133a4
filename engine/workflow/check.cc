#include "workflow/check.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>

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
#include "workflow/used_workflows.h"
#include "workflow/workflow_call.h"
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

// What the checks of a workflow, and of those that its stages use, share.
struct CommonParts {
  CommonParts(const PluginDirectory& directory, const CheckInput& input) : plugins(directory), used(input.read_used) {}

  const PluginDirectory& plugins;
  PluginChecks::Checkers checkers;
  std::optional<SchemaChecker> shape;  // of workflows; made when there is one to check
  UsedWorkflows used;
  WorkBudget budget;
  std::map<std::string, std::string> log_paths;
};

// The call of a workflow by a stage of another one.
struct Call {
  std::vector<std::string> files;  // of the workflows that use each other, the first one first
  std::string prompt_name;
  bool names_folder = false;                   // whether the stage chose the prompt_name
  const std::map<std::string, json>* targets;  // of the workflow that calls
  std::map<std::vector<std::string>, Expression> deferred;
};

// How many workflows may use each other.
constexpr std::size_t kMaxDepth = 10;
// About what it takes to check a workflow once more.
constexpr std::size_t kCallBytes = std::size_t{16} << 10;
constexpr std::size_t kCallBytesPerByte = 64;

// One check, from the texts to the plan.
class WorkflowCheck {
 public:
  // `call`: null for the workflow that is run itself.
  WorkflowCheck(const CheckInput& input, CommonParts* common, const Call* call)
      : input_(input),
        common_(*common),
        call_(call),
        workflow_(input.text, input.file, &common->plugins, &common->checkers, &values_.environment) {
    values_.environment = input.environment ? input.environment : ProcessEnvironment;
    std::error_code error;  // a folder that is gone has no name
    const fs::path file = (fs::current_path(error) / input.file).lexically_normal();
    values_.workflow["dir"] = file.parent_path().string();
    if (call_ != nullptr) {
      files_ = call_->files;
      values_.deferred = call_->deferred;
    }
    files_.push_back(file);
    if (!input.config_file.empty()) {
      config_ = std::make_unique<DocumentCheck>(input.config_text, input.config_file, &common->plugins,
                                                &common->checkers, &values_.environment);
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

    StageList stages(&workflow_, input_.input_files,
                     [this](const std::string& uses, Place place) { return FindUsed(uses, place); });
    stages.Link();
    const json no_matrix = json::object();
    const KnownScope scope(&values_, &no_matrix, &budget_);
    stages.CheckStages(scope);
    if (values_known || AllFindings().empty()) stages.Expand(values_, &budget_);
    // Names and targets are told beside everything else; what stands in resolved values only when the rest is right.
    SetNames(scope);
    TakeTargets(scope);
    CheckStaticTargets(stages);
    if (AllFindings().empty()) Build(stages);
    CheckResult result{AllFindings(), std::nullopt};
    if (!result.findings.empty()) return result;
    plan_.params = values_.params;
    plan_.used_workflows = common_.used.Texts();
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
    if (!common_.shape) common_.shape.emplace(SchemaChecker::OfOwn(ParseJson(WorkflowSchema(), kOwnJson)));
    workflow_.CheckShape(*common_.shape, "the workflow");
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
    plan_.prompt_name = call_ == nullptr ? plan_.name : call_->prompt_name;
    const std::string given = TextIn(value, "prompt_name");
    if (given.empty() || (call_ != nullptr && call_->names_folder)) return;
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
    if (call_ != nullptr) plan_.targets = *call_->targets;
    plan_.targets.insert(parts.targets().begin(), parts.targets().end());
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
    std::set<std::string> known = {"local"};
    const auto take = [&](const json& targets) {
      for (const auto& [name, target] : targets.items()) known.insert(name);
    };
    take(ObjectIn(workflow_.document.value(), "targets"));
    if (config_) take(ObjectIn(config_->document.value(), "targets"));
    if (call_ != nullptr) take(*call_->targets);
    const std::vector<std::string> names(known.begin(), known.end());
    const auto check = [&](const StageSource& stage) {
      const std::string target = TextIn(*stage.value, "target");
      if (target.empty() || TextTemplate::MayHaveExpressions(target)) return;
      if (known.count(target) > 0) return;
      workflow_.findings.Add(NodeIn(*stage.node, "target").value,
                             "'target' of " + stage.name() + ": there is no target '" + target + "'",
                             Suggestion(target, names));
    };
    for (const StageSource& stage : stages.stages()) check(stage);
    for (const StageSource& handler : stages.handlers()) check(handler);
  }

  // What a stage sees of the workflow in a file that it uses.
  const PluginFacts* FindUsed(const std::string& uses, Place place) {
    const std::string path = UsedPath(uses);
    const std::string cannot = "the workflow '" + uses + "' cannot be used: ";
    if (std::find(files_.begin(), files_.end(), path) != files_.end()) {
      workflow_.findings.Add(place, cannot + "it uses itself, by " + Join(files_, " -> "), "remove one of the uses");
      return nullptr;
    }
    if (files_.size() >= kMaxDepth) {
      workflow_.findings.Add(place, cannot + "more than " + std::to_string(kMaxDepth) + " workflows use each other",
                             "call its stages from a workflow further out");
      return nullptr;
    }
    try {
      const UsedWorkflows::Used& used = common_.used.Get(path);
      return used.is_readable ? &used.facts : nullptr;
    } catch (const Error& error) {
      workflow_.findings.Add(place, cannot + error.message(), error.hint());
      return nullptr;
    }
  }

  std::string UsedPath(const std::string& uses) const {
    return (fs::path(files_.back()).parent_path() / uses).lexically_normal();
  }

  void Build(const StageList& stages) {
    PlanBuilder::Surroundings surroundings;
    surroundings.depth = depth();
    if (call_ != nullptr) surroundings.name_prefix = plan_.prompt_name + "_";
    surroundings.log_paths = &common_.log_paths;
    surroundings.call = [this](const StageSource& stage, const StageInstance& end) { return CallUsed(stage, end); };
    PlanBuilder(&input_, &workflow_, &stages, &values_, &budget_, &plan_, std::move(surroundings)).Build();
  }

  std::optional<Plan> CallUsed(const StageSource& stage, const StageInstance& end) {
    CalledParams params = ParamsOfCall(end.with, depth());
    for (const std::string& name : params.mixed) {
      workflow_.findings.Add(NodeIn(NodeIn(*stage.node, "with"), name.c_str()).value,
                             "'with." + name + "' of " + stage.name() + ": parts of it are known only during the run",
                             "give another workflow such a list or object as one expression");
    }
    if (!params.mixed.empty()) return std::nullopt;
    Call call;
    call.files = files_;
    call.prompt_name = end.prompt_name;
    call.names_folder = stage.value->contains("prompt_name");
    call.targets = &plan_.targets;
    call.deferred = std::move(params.deferred);
    CheckInput input = input_;
    input.file = stage.facts->id;
    input.text = common_.used.Get(input.file).text;
    input.config_file.clear();
    input.params = {};
    input.params.file = "the parameters of " + stage.name();
    input.params.text = params.known.dump();
    for (const auto& [path, expression] : call.deferred) input.params.deferred.insert(path[1]);
    input.default_target = end.target;
    CheckResult result;
    const auto done = workflow_.Resolved(stage.name(), *stage.node, [&] {
      budget_.TakeBytes(kCallBytes + kCallBytesPerByte * input.text.size());
      result = WorkflowCheck(input, &common_, &call).Run();
      return json();
    });
    common_.used.Add(result.findings);
    if (!done || !result.plan) return std::nullopt;
    TakeSecrets(stage, result.plan->secrets);
    return std::move(result.plan);
  }

  // The secrets of all workflows have one name space, as targets have; a target's first definition counts.
  void TakeSecrets(const StageSource& stage, const std::vector<SecretSource>& secrets) {
    for (const SecretSource& secret : secrets) {
      const auto known = std::find_if(plan_.secrets.begin(), plan_.secrets.end(),
                                      [&](const SecretSource& one) { return one.name == secret.name; });
      if (known == plan_.secrets.end()) {
        plan_.secrets.push_back(secret);
      } else if (known->env != secret.env || known->file != secret.file) {
        workflow_.findings.Add(NodeIn(*stage.node, "uses").value,
                               "the secret '" + secret.name +
                                   "' is read from one place here, and from another one in " +
                                   TextIn(*stage.value, "uses"),
                               "give one of them another name");
      }
    }
  }

  int depth() const { return static_cast<int>(files_.size()) - 1; }

  Findings AllFindings() const {
    Findings all = workflow_.findings.Sorted();
    if (call_ == nullptr) all.insert(all.end(), common_.used.findings().begin(), common_.used.findings().end());
    if (config_) {
      for (Finding& finding : config_->findings.Sorted()) all.push_back(std::move(finding));
    }
    all.insert(all.end(), others_.begin(), others_.end());
    return all;
  }

  const CheckInput& input_;
  CommonParts& common_;
  const Call* const call_;
  std::vector<std::string> files_;  // of the workflows that use each other, this one last
  KnownValues values_;
  DocumentCheck workflow_;
  std::unique_ptr<DocumentCheck> config_;
  Findings others_;  // of params given from outside
  WorkBudget& budget_ = common_.budget;
  Plan plan_;
};

}  // namespace

CheckResult Check(const CheckInput& input, const PluginDirectory& plugins) {
  CommonParts common(plugins, input);
  return WorkflowCheck(input, &common, nullptr).Run();
}

DefinedTargets CheckTargets(const CheckInput& input) {
  CheckInput whole = input;
  if (whole.file.empty()) whole.text = "{}";  // no workflow, rather than an empty one
  const NoPlugins plugins;
  CommonParts common(plugins, input);
  return WorkflowCheck(whole, &common, nullptr).Targets();
}

}  // namespace cosmos
