#include "workflow/plan_builder.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "core/ids.h"
#include "core/json_values.h"
#include "core/text.h"
#include "workflow/batches.h"
#include "workflow/evaluator.h"
#include "workflow/expression.h"
#include "workflow/schema_texts.h"
#include "workflow/text_template.h"
#include "workflow/workflow_call.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace {

using nlohmann::json;

Duration DurationOf(const json& value) { return ParseDuration(PlainText(value)); }

// By `batch:`; 0: off.
size_t MostInBatch(const json& fields) {
  const json batch = fields.value("batch", json("off"));
  if (batch.is_number()) return batch.get<size_t>();
  return batch == "auto" ? std::numeric_limits<size_t>::max() : 0;
}

}  // namespace

PlanBuilder::PlanBuilder(const CheckInput* input, DocumentCheck* check, const StageList* stages,
                         const KnownValues* values, WorkBudget* budget, Plan* plan, Surroundings surroundings)
    : input_(*input),
      check_(*check),
      list_(*stages),
      values_(*values),
      budget_(*budget),
      plan_(*plan),
      surroundings_(std::move(surroundings)),
      first_(stages->stages().size()) {
  for (const StageSource& stage : list_.stages()) {
    indices_.emplace_back(&stage.instances);
    if (stage.facts != nullptr && stage.facts->prompt_name_is_workflow && !stage.value->contains("prompt_name")) {
      first_in_.emplace(stage.facts->folder, stage.id);
    }
  }
}

void PlanBuilder::Build() {
  for (const size_t position : list_.order()) {
    list_.stages()[position].is_workflow ? AddWorkflows(position) : AddInstances(position);
    if (budget_.spent()) return;
  }
  for (const StageSource& handler : list_.handlers()) {
    std::vector<StageInstance>& list = handler.list == "on_failure"   ? plan_.on_failure
                                       : handler.list == "on_success" ? plan_.on_success
                                                                      : plan_.on_exit;
    list.push_back(Make(handler, handler.instances[0]));
  }
  SetOutputs();
}

void PlanBuilder::AddInstances(size_t position) {
  const StageSource& stage = list_.stages()[position];
  first_[position] = plan_.instances.size();
  for (const MatrixInstance& instance : stage.instances) {
    plan_.instances.push_back(Make(stage, instance));
    SetNeeds(position, &plan_.instances.back());
    if (!IsAffordable(stage, plan_.instances.back())) return;
  }
  FormBatchesOf(stage, first_[position]);
}

void PlanBuilder::AddWorkflows(size_t position) {
  const StageSource& stage = list_.stages()[position];
  std::vector<StageInstance> ends;  // side by side, as others look for them by their place
  for (const MatrixInstance& instance : stage.instances) {
    StageInstance end = Make(stage, instance);
    SetNeeds(position, &end);
    if (!IsAffordable(stage, end)) return;
    std::optional<Plan> called = surroundings_.call(stage, end);
    if (called) TakeCalled(std::move(*called), surroundings_.depth, &end, &plan_, &next_batch_);
    ends.push_back(std::move(end));
  }
  first_[position] = plan_.instances.size();
  std::move(ends.begin(), ends.end(), std::back_inserter(plan_.instances));
  most_in_batch_.resize(plan_.instances.size());
}

void PlanBuilder::SetOutputs() {
  const json no_matrix = json::object();
  const KnownScope scope(&values_, &no_matrix, &budget_);
  const json& outputs = ObjectIn(check_.document.value(), "outputs");
  for (const auto& [name, node] : NodeIn(check_.document.root(), "outputs").members) {
    if (!outputs.contains(name)) continue;
    const auto known = check_.Resolved("'outputs." + name + "'", node,
                                       [&, &name = name] { return ResolveKnown(outputs[name], scope); });
    if (known) plan_.outputs[name] = *known;
  }
  plan_.outputs_see = Seen(list_.outputs_refer_to(), StageSource(), no_matrix);
}

bool PlanBuilder::IsAffordable(const StageSource& stage, const StageInstance& made) {
  const auto taken = check_.Resolved(stage.name(), *stage.node, [&] {
    budget_.Take(made.with);
    budget_.Take(made.env);
    // Where stages share no key of their matrices, each instance needs all of the other's.
    std::size_t links = made.needs.size();
    for (const auto& [id, seen] : made.sees) links += seen.instances.size();
    budget_.TakeBytes(links * sizeof(std::size_t));
    return json();
  });
  return taken.has_value();
}

void PlanBuilder::FormBatchesOf(const StageSource& stage, size_t first) {
  std::map<size_t, std::vector<StageInstance*>> by_most;
  for (size_t i = first; i < plan_.instances.size(); ++i) {
    if (most_in_batch_[i] > 0) by_most[most_in_batch_[i]].push_back(&plan_.instances[i]);
  }
  for (const auto& [most, instances] : by_most) FormBatches(*stage.facts, most, instances, &next_batch_);
}

StageInstance PlanBuilder::Make(const StageSource& stage, const MatrixInstance& instance) {
  const KnownScope scope(&values_, &instance.values, &budget_);
  StageInstance made;
  made.stage = stage.id;
  made.instance = instance.name;
  made.uses = stage.facts->id;
  made.matrix = instance.values;
  made.max_parallel = stage.max_parallel;
  made.where = check_.Where(stage.node->key);
  Settle(stage, Settled(stage, scope), &made);
  SetParameters(stage, scope, &made);
  made.env = Environment(stage, scope);
  made.when = Condition(stage, scope);
  if (!made.when.empty()) made.when_as_written = PlainText((*stage.value)["when"]);
  made.after_failure = !made.when.empty() && Calls(ParseExpression(made.when), "failed");
  SetSeen(stage, &made);
  if (!stage.is_workflow) CheckLogPath(stage, made);
  return made;
}

json PlanBuilder::Settled(const StageSource& stage, const KnownScope& scope) {
  json fields = json::object();
  bool changed = false;
  for (const auto& [name, value] : stage.value->items()) {
    if (name == "with" || name == "env" || name == "when" || name == "matrix" || name == "needs") continue;
    const auto resolved = check_.Resolved("'" + name + "' of " + stage.name(), NodeIn(*stage.node, name.c_str()),
                                          [&, &value = value] { return Resolve(value, scope); });
    if (!resolved) continue;
    changed = changed || *resolved != value;
    if (name != "name") fields[name] = *resolved;
  }
  if (!changed) return fields;
  if (!stage_checker_) stage_checker_.emplace(SchemaChecker::OfOwn(DefinitionSchema("stage")));
  const SchemaProblems problems = stage_checker_->Check(fields, Texts::kPlain, stage.path);
  check_.Add(problems, *stage.node, stage.path.size());
  return problems.empty() ? fields : json::object();
}

void PlanBuilder::Settle(const StageSource& stage, const json& fields, StageInstance* instance) {
  const json& retry = ObjectIn(fields, "retry");
  instance->retry.attempts = retry.value("attempts", 1);
  if (retry.contains("backoff")) instance->retry.backoff = DurationOf(retry["backoff"]);
  for (const json& kind : retry.value("on", json::array())) {
    instance->retry.on.push_back(FailureKindOf(kind.get<std::string>()));
  }
  instance->retry.on_oom = retry.value("on_oom", std::vector<std::string>());
  if (fields.contains("timeout")) instance->timeout = DurationOf(fields["timeout"]);
  most_in_batch_.push_back(MostInBatch(fields));
  if (fields.contains("stall_timeout")) instance->stall_timeout = DurationOf(fields["stall_timeout"]);
  instance->continue_on_error = fields.value("continue_on_error", false);
  const json& resources = ObjectIn(fields, "resources");
  instance->gpus = resources.value("gpus", 0);
  instance->gpu_busy = resources.value("gpu_busy", instance->gpu_busy);
  SetTarget(stage, fields, instance);
  SetContainer(stage, fields, instance);
  SetPromptName(stage, fields, instance);
}

void PlanBuilder::SetTarget(const StageSource& stage, const json& fields, StageInstance* instance) {
  if (!input_.default_target.empty()) instance->target = input_.default_target;
  instance->target = fields.value("target", instance->target);
  if (plan_.targets.count(instance->target) > 0 || !fields.contains("target")) return;
  std::vector<std::string> names;
  for (const auto& [name, target] : plan_.targets) names.push_back(name);
  check_.findings.Add(NodeIn(*stage.node, "target").value,
                      "'target' of " + stage.name() + ": there is no target '" + instance->target + "'",
                      Suggestion(instance->target, names));
}

void PlanBuilder::SetContainer(const StageSource& stage, const json& fields, StageInstance* instance) {
  const auto target = plan_.targets.find(instance->target);
  if (target == plan_.targets.end()) return;
  if (target->second.contains("container")) instance->container = target->second["container"];
  if (fields.contains("container")) instance->container.merge_patch(fields["container"]);
  if (!instance->container.is_null() && TextIn(instance->container, "image").empty()) {
    check_.findings.Add(NodeIn(*stage.node, fields.contains("container") ? "container" : "uses").key,
                        "the container of " + stage.name() + " has no image",
                        "give one: `container: {image: NAME:TAG}` of the stage or of its target");
  }
  const int there = target->second.value("gpus", instance->gpus);
  instance->most_gpus = std::max(instance->gpus, there);
  if (instance->gpus <= there) return;
  check_.findings.Add(NodeIn(*stage.node, "resources").value,
                      stage.name() + " needs " + std::to_string(instance->gpus) + " GPUs, and its target '" +
                          instance->target + "' has " + std::to_string(there),
                      "ask for fewer, or correct `gpus:` of the target");
}

void PlanBuilder::SetPromptName(const StageSource& stage, const json& fields, StageInstance* instance) {
  const std::string given = TextIn(*stage.value, "prompt_name");
  std::string name = stage.facts->prompt_name_is_workflow ? plan_.prompt_name : surroundings_.name_prefix + stage.id;
  const auto first = first_in_.find(stage.facts->folder);
  const bool is_second = first != first_in_.end() && first->second != stage.id;
  if (stage.facts->prompt_name_is_workflow && is_second) name += "_" + stage.id;
  name = fields.value("prompt_name", name);
  if (!IsSafeName(name)) name = SafeNameOf(name);
  // Who writes a name with matrix values tells the instances apart already.
  if (!instance->instance.empty() && given.find("matrix") == given.npos) name += "_" + instance->instance;
  instance->prompt_name = IsSafeName(name) ? name : SafeNameOf(name);
  const bool own = stage.facts->folder.find("{prompt_name}") == std::string::npos;
  if (own || !IsReservedFolder(instance->prompt_name)) return;
  const bool of_stage = stage.value->contains("prompt_name");
  const bool of_workflow = !of_stage && check_.document.value().contains("prompt_name");
  check_.findings.Add(of_stage      ? NodeIn(*stage.node, "prompt_name").value
                      : of_workflow ? NodeIn(check_.document.root(), "prompt_name").value
                                    : stage.node->key,
                      "the prompt_name of " + stage.name() + " is '" + instance->prompt_name +
                          "', which is a folder of the engine's own below the output folder",
                      "give the stage another `prompt_name:`");
}

void PlanBuilder::SetParameters(const StageSource& stage, const KnownScope& scope, StageInstance* instance) {
  const auto with = stage.value->find("with");
  const bool given = with != stage.value->end() && with->is_object();
  YamlNode nothing;
  nothing.key = nothing.value = NodeIn(*stage.node, "uses").key;
  const YamlNode& node = given ? NodeIn(*stage.node, "with") : nothing;
  SchemaPath path = stage.path;
  path.push_back("with");
  auto known = check_.Resolved(NameOf(path), node, [&] { return given ? ResolveKnown(*with, scope) : json::object(); });
  if (!known) return;
  KeepTexts(stage.facts->parameters, &*known);
  instance->with = check_.plugins.WithDefaults(*stage.facts, *known);
  if (given && *known != *with) check_.plugins.CheckParameters(*stage.facts, instance->with, node, path);
  CheckOomSteps(stage, *instance);
  if (input_.input_files) check_.plugins.CheckFiles(*stage.facts, instance->with, node, path, scope);
}

void PlanBuilder::CheckOomSteps(const StageSource& stage, const StageInstance& instance) {
  const std::vector<std::string> known = PluginChecks::OomStepsOf(*stage.facts, instance.with);
  for (const std::string& step : instance.retry.on_oom) {
    if (std::find(known.begin(), known.end(), step) != known.end()) continue;
    check_.findings.Add(NodeIn(NodeIn(*stage.node, "retry"), "on_oom").value,
                        "'retry.on_oom' of " + stage.name() + ": there is no step '" + step + "' here",
                        known.empty() ? "remove on_oom; its plugin cannot change what it needs of GPU memory"
                                      : "expected some of " + Join(known, ", "));
  }
}

json PlanBuilder::Environment(const StageSource& stage, const KnownScope& scope) {
  json env = EscapeTree(values_.env);
  for (const auto& [path, expression] : values_.deferred) {
    if (path[0] == "env") env[path[1]] = "${{ " + ToSource(expression) + " }}";
  }
  const json& texts = ObjectIn(*stage.value, "env");
  for (const auto& [name, place] : NodeIn(*stage.node, "env").members) {
    const auto value = texts.find(name);
    if (value == texts.end()) continue;
    const auto known =
        check_.Resolved("'env." + name + "' of " + stage.name(), place, [&] { return ResolveKnown(*value, scope); });
    if (known) env[name] = TextOf(*known);
  }
  return env;
}

std::string PlanBuilder::Condition(const StageSource& stage, const KnownScope& scope) {
  const auto when = stage.value->find("when");
  if (when == stage.value->end()) return "";
  const auto source = check_.Resolved("'when' of " + stage.name(), NodeIn(*stage.node, "when"), [&]() -> json {
    if (!when->is_string()) return when->dump();
    size_t offset = 0;
    return ToSource(Simplify(ParseExpression(ConditionOf(when->get<std::string>(), &offset)), scope));
  });
  return source ? source->get<std::string>() : "";
}

std::vector<size_t> PlanBuilder::Matching(const StageSource& viewer, const json& matrix, size_t other) {
  std::vector<size_t> matching = indices_[other].Matching(matrix, SharedKeys(viewer, list_.stages()[other]));
  for (size_t& index : matching) index += first_[other];
  return matching;
}

void PlanBuilder::SetNeeds(size_t position, StageInstance* instance) {
  const StageSource& stage = list_.stages()[position];
  for (const size_t needed : list_.graph().NeedsOf(position)) {
    const std::vector<size_t> matching = Matching(stage, instance->matrix, needed);
    instance->needs.insert(instance->needs.end(), matching.begin(), matching.end());
    if (!matching.empty()) continue;
    const StageSource& other = list_.stages()[needed];
    std::vector<std::string> values;
    for (const std::string& key : SharedKeys(stage, other)) {
      values.push_back(key + " " + instance->matrix[key].dump());
    }
    check_.findings.Add(NodeIn(*stage.node, "needs").value,
                        "instance '" + instance->key() + "' needs stage '" + other.id +
                            "', which has no instance with " + Join(values, ", "),
                        "give both stages the same values under the keys that both have");
  }
  std::sort(instance->needs.begin(), instance->needs.end());
  instance->needs.erase(std::unique(instance->needs.begin(), instance->needs.end()), instance->needs.end());
}

void PlanBuilder::SetSeen(const StageSource& stage, StageInstance* instance) {
  instance->sees = Seen(stage.refers_to, stage, instance->matrix);
}

std::map<std::string, SeenStage> PlanBuilder::Seen(const std::set<std::string>& ids, const StageSource& viewer,
                                                   const json& matrix) {
  std::map<std::string, SeenStage> all;
  for (const std::string& id : ids) {
    const size_t other = list_.PositionOf(id);
    SeenStage& seen = all[id];
    seen.instances = Matching(viewer, matrix, other);
    seen.single = SharedKeys(viewer, list_.stages()[other]).size() == list_.stages()[other].matrix_keys.size();
  }
  return all;
}

void PlanBuilder::CheckLogPath(const StageSource& stage, const StageInstance& instance) {
  if (stage.facts->log_is_operation) return;
  constexpr std::string_view kName = "{prompt_name}";
  std::string folder = stage.facts->folder;
  for (size_t at = folder.find(kName); at != folder.npos; at = folder.find(kName, at + instance.prompt_name.size())) {
    folder.replace(at, kName.size(), instance.prompt_name);
  }
  const auto [other, is_new] =
      surroundings_.log_paths->emplace(folder + "/logs/run_{run_id}.log", surroundings_.name_prefix + instance.key());
  if (is_new) return;
  check_.findings.Add(stage.node->key,
                      "'" + instance.key() + "' and '" + other->second + "' would write the same log, " + other->first,
                      "give one of them a `prompt_name:` of its own");
}

}  // namespace cosmos
