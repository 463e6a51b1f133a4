#include "workflow/stage_list.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/ids.h"
#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/expression.h"
#include "workflow/matrix_reader.h"
#include "workflow/schema_texts.h"
#include "workflow/schema_words.h"
#include "workflow/text_template.h"
#include "workflow/used_workflows.h"

namespace cosmos {
namespace {

using nlohmann::json;

// The fields of a stage that are settled before the run.
constexpr const char* kSettledFields[] = {"target",    "timeout",     "retry", "continue_on_error", "resources",
                                          "container", "prompt_name", "batch", "stall_timeout"};

// nullptr when there is no such member, or `object` is none.
json* MemberOf(json* object, const std::string& name) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(name);
  return found == object->end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> SharedKeys(const StageSource& one, const StageSource& other) {
  std::vector<std::string> shared;
  for (const std::string& key : one.matrix_keys) {
    const auto found = std::find(other.matrix_keys.begin(), other.matrix_keys.end(), key);
    if (found != other.matrix_keys.end()) shared.push_back(key);
  }
  return shared;
}

StageList::StageList(DocumentCheck* check, bool input_files, FindWorkflow find_workflow)
    : check_(*check), input_files_(input_files), find_workflow_(std::move(find_workflow)) {
  for (const auto& [id, node] : NodeIn(check_.document.root(), "stages").members) {
    json* const value = MemberOf(MemberOf(check_.document.mutable_value(), "stages"), id);
    if (value == nullptr || !value->is_object()) continue;
    positions_[id] = stages_.size();
    StageSource stage;
    stage.id = id;
    stage.list = "stages";
    stage.path = {"stages", id};
    stage.value = value;
    stage.node = &node;
    stages_.push_back(std::move(stage));
  }
  graph_ = StageGraph(stages_.size());
  for (const char* list : {"on_failure", "on_success", "on_exit"}) ReadHandlers(list);
  NameHandlers();
}

void StageList::ReadHandlers(const std::string& list) {
  json* const handlers = MemberOf(check_.document.mutable_value(), list);
  if (handlers == nullptr || !handlers->is_array()) return;
  const YamlNode& node = NodeIn(check_.document.root(), list.c_str());
  for (size_t i = 0; i < handlers->size() && i < node.items.size(); ++i) {
    if (!(*handlers)[i].is_object()) continue;
    StageSource handler;
    handler.list = list;
    handler.path = {list, std::to_string(i)};
    handler.value = &(*handlers)[i];
    handler.node = &node.items[i];
    handlers_.push_back(std::move(handler));
  }
}

// Stages and handlers of a run are told apart by their names: in the record, in folders, in container names.
void StageList::NameHandlers() {
  std::set<std::string> names;
  for (const StageSource& stage : stages_) names.insert(stage.id);
  for (StageSource& handler : handlers_) {
    handler.id = TextIn(*handler.value, "name");
    if (!handler.id.empty() && !names.insert(handler.id).second) {
      check_.findings.Add(NodeIn(*handler.node, "name").value,
                          handler.name() + ": the name '" + handler.id + "' is taken by another stage",
                          "give it another name");
    }
  }
  std::map<std::string, int> next;  // number, by plugin
  for (StageSource& handler : handlers_) {
    if (!handler.id.empty()) continue;
    const std::string uses = TextIn(*handler.value, "uses");
    handler.id = uses;
    int& number = next.try_emplace(uses, 2).first->second;
    for (; !names.insert(handler.id).second; ++number) handler.id = uses + "-" + std::to_string(number);
  }
}

std::vector<std::string> StageList::Ids() const {
  std::vector<std::string> ids;
  for (const StageSource& stage : stages_) ids.push_back(stage.id);
  return ids;
}

void StageList::Link() {
  for (size_t i = 0; i < stages_.size(); ++i) LinkNeeds(i);
  order_ = graph_.Order();
  if (order_.size() < stages_.size()) TellCycles();
  for (std::vector<StageSource>* list : {&stages_, &handlers_}) {
    for (StageSource& stage : *list) {
      const std::string uses = TextIn(*stage.value, "uses");
      if (uses.empty()) continue;
      const Place place = NodeIn(*stage.node, "uses").value;
      stage.is_workflow = !stage.is_handler() && IsWorkflowFile(uses);
      stage.facts =
          stage.is_workflow ? find_workflow_(uses, place) : check_.plugins.Find(uses, PluginFacts::Kind::kStage, place);
      if (stage.is_workflow) CheckUse(stage);
      json* const with = MemberOf(stage.value, "with");
      if (stage.facts != nullptr && with != nullptr) {
        KeepTexts(stage.facts->parameters, NodeIn(*stage.node, "with"), with);
      }
    }
  }
}

void StageList::LinkNeeds(size_t position) {
  const StageSource& stage = stages_[position];
  const auto needs = stage.value->find("needs");
  if (needs == stage.value->end()) return;
  const YamlNode& node = NodeIn(*stage.node, "needs");
  const auto link = [&](const json& need, const YamlNode& at) {
    if (!need.is_string() || check_.findings.full()) return;
    const auto needed = positions_.find(need.get<std::string>());
    if (needed == positions_.end()) {
      check_.findings.Add(at.value, stage.name() + " needs '" + need.get<std::string>() + "', which is no stage",
                          Suggestion(need.get<std::string>(), Ids()));
    } else {
      graph_.AddNeed(position, needed->second);
    }
  };
  if (!needs->is_array()) return link(*needs, node);
  for (size_t i = 0; i < needs->size() && i < node.items.size(); ++i) link((*needs)[i], node.items[i]);
}

void StageList::TellCycles() {
  for (const std::vector<size_t>& cycle : graph_.Cycles()) {
    std::vector<std::string> names;
    for (const size_t stage : cycle) names.push_back(stages_[stage].id);
    check_.findings.Add(NodeIn(*stages_[cycle[0]].node, "needs").value,
                        "stages need each other in a circle: " + Join(names, " -> "), "remove one of these needs");
  }
}

void StageList::Expand(const KnownValues& values, WorkBudget* budget) {
  MatrixReader reader(&check_, &values, budget);
  for (StageSource& stage : stages_) {
    stage.instances = reader.Instances(stage);
    stage.max_parallel = reader.MaxParallel(stage);
    if (budget->spent()) break;
  }
  for (StageSource& handler : handlers_) handler.instances.resize(1);
}

void StageList::CheckStages(const KnownScope& scope) {
  for (StageSource& stage : stages_) stage.matrix_keys = MatrixKeysOf(stage);
  for (std::vector<StageSource>* list : {&stages_, &handlers_}) {
    for (StageSource& stage : *list) {
      ReferenceRules rules;
      rules.matrix = stage.matrix_keys;
      rules.check_stage = [this, &stage](const Expression&, const std::string& other, const std::string& output,
                                         const auto& add) { CheckStageReference(&stage, other, output, add); };
      CheckOne(&stage, rules, scope);
    }
  }
  CheckOutputs();
}

void StageList::CheckOutputs() {
  ReferenceRules rules;
  rules.check_stage = [this](const Expression&, const std::string& other, const std::string& output, const auto& add) {
    CheckStageReference(nullptr, other, output, add);
  };
  const json& outputs = ObjectIn(check_.document.value(), "outputs");
  for (const auto& [name, node] : NodeIn(check_.document.root(), "outputs").members) {
    if (!outputs.contains(name)) continue;
    rules.place = "'outputs." + name + "'";
    outputs_refer_to_.merge(check_.references.Check(outputs[name], node, rules));
  }
}

// What belongs to one job, a stage with many has in each of them.
void StageList::CheckUse(const StageSource& stage) {
  const auto refuse = [&](const std::string& name, const YamlNode& node) {
    check_.findings.Add(
        node.key, "'" + name + "' of " + stage.name() + ": a stage that uses another workflow has no '" + name + "'",
        "write it in the stages of " + TextIn(*stage.value, "uses"));
  };
  for (const char* field : {"batch", "container", "env", "resources", "retry", "stall_timeout", "timeout"}) {
    if (stage.value->contains(field)) refuse(field, NodeIn(*stage.node, field));
  }
  const YamlNode& matrix = NodeIn(*stage.node, "matrix");
  if (ObjectIn(*stage.value, "matrix").contains("max_parallel"))
    refuse("matrix.max_parallel", NodeIn(matrix, "max_parallel"));
}

void StageList::CheckOne(StageSource* stage, const ReferenceRules& rules, const KnownScope& scope) {
  const auto check = [&](const char* field, const ReferenceRules& field_rules, auto method) {
    const auto value = stage->value->find(field);
    if (value == stage->value->end()) return;
    ReferenceRules named = field_rules;
    named.place = "'" + std::string(field) + "' of " + stage->name();
    stage->refers_to.merge((check_.references.*method)(*value, NodeIn(*stage->node, field), named));
  };
  check("with", rules, &ReferenceChecker::Check);
  check("env", rules, &ReferenceChecker::Check);
  check("when", rules, &ReferenceChecker::CheckCondition);
  ReferenceRules settled = rules;
  settled.deferred = false;
  for (const char* field : kSettledFields) check(field, settled, &ReferenceChecker::Check);
  if (!stage->is_handler()) CheckMatrix(stage, settled);
  CheckNames(*stage);

  const auto with = stage->value->find("with");
  const bool given = with != stage->value->end();
  if (stage->facts == nullptr || (given && !with->is_object() && !with->is_null())) return;
  SchemaPath path = stage->path;
  path.push_back("with");
  YamlNode nothing;  // a stage without `with:`: what is missing is told at its `uses`
  nothing.key = nothing.value = NodeIn(*stage->node, "uses").key;
  const YamlNode& node = given ? NodeIn(*stage->node, "with") : nothing;
  const json complete = check_.plugins.WithDefaults(*stage->facts, given ? *with : json());
  check_.plugins.CheckParameters(*stage->facts, complete, node, path);
  check_.plugins.CheckSecrets(*stage->facts, complete, node, path);
  if (input_files_) check_.plugins.CheckFiles(*stage->facts, complete, node, path, scope);
}

// `name` knows the instance's values; what makes them does not.
void StageList::CheckMatrix(StageSource* stage, ReferenceRules rules) {
  const json& matrix = ObjectIn(*stage->value, "matrix");
  const std::vector<std::string> keys = std::exchange(rules.matrix, {});
  for (const auto& [key, node] : NodeIn(*stage->node, "matrix").members) {
    if (!matrix.contains(key)) continue;
    rules.place = "'matrix." + key + "' of " + stage->name();
    rules.matrix = key == "name" && !IsAxis(key, matrix[key]) ? keys : std::vector<std::string>();
    stage->refers_to.merge(check_.references.Check(matrix[key], node, rules));
  }
}

void StageList::CheckNames(const StageSource& stage) {
  const std::string name = TextIn(*stage.value, "prompt_name");
  if (name.empty() || TextTemplate::MayHaveExpressions(name) || IsSafeName(name)) return;
  check_.findings.Add(NodeIn(*stage.node, "prompt_name").value,
                      "'prompt_name' of " + stage.name() + ": '" + name + "' is not a usable name",
                      "use 1 to 128 of the characters A-Z a-z 0-9 . _ -");
}

void StageList::CheckStageReference(const StageSource* stage, const std::string& other, const std::string& output,
                                    const std::function<void(std::string, std::string)>& add) {
  if (check_.findings.full()) return;
  const auto position = positions_.find(other);
  if (position == positions_.end()) return add("the workflow has no stage '" + other + "'", Suggestion(other, Ids()));
  const bool in_order = order_.size() == stages_.size();
  const bool at_end = stage == nullptr || stage->is_handler();
  if (!at_end && in_order && !graph_.Reaches(positions_.at(stage->id), position->second)) {
    if (stage->id == other) return add("a stage cannot refer to itself", "remove the reference");
    return add("stage '" + stage->id + "' does not need '" + other + "', so it may run before it",
               "add '" + other + "' to its needs");
  }
  const StageSource& target = stages_[position->second];
  if (output.empty() || target.facts == nullptr) return;
  const auto outputs = PluginChecks::OutputsOf(*target.facts, ObjectIn(*target.value, "with"));
  if (!outputs || outputs->count(output) > 0) return;
  add("stage '" + other + "' has no output '" + output + "'",
      outputs->empty() ? "it has no outputs" : Suggestion(output, {outputs->begin(), outputs->end()}));
}

}  // namespace cosmos
