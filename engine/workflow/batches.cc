#include "workflow/batches.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "workflow/expression.h"
#include "workflow/schema_walk.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::vector<std::string> Steps(const std::string& path) {
  std::vector<std::string> steps;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('.', at), path.size());
    steps.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return steps;
}

void Remove(json* value, const std::vector<std::string>& steps, size_t from) {
  if (!value->is_object()) return;
  std::vector<std::string> names = {steps[from]};
  if (steps[from] == "*") {
    names.clear();
    for (const auto& [name, member] : value->items()) names.push_back(name);
  }
  for (const std::string& name : names) {
    if (!value->contains(name)) continue;
    if (from + 1 == steps.size()) {
      value->erase(name);
    } else {
      Remove(&(*value)[name], steps, from + 1);
    }
  }
}

// The name of a parameter that both have and in which they differ, or that only one has.
std::string Difference(const json& one, const json& other) {
  for (const json* from : {&one, &other}) {
    const json& to = from == &one ? other : one;
    for (const auto& [name, value] : from->items()) {
      if (!to.contains(name) || to[name] != value) return name;
    }
  }
  return "";
}

// What all of a batch have in common.
struct Common {
  json fixed;  // the parameters that may not differ
  const StageInstance* instance;
  std::vector<StageInstance*> members;
  std::set<std::string> seen;  // of what must differ
};

std::string WhyApart(const Common& common, const StageInstance& instance, const json& fixed, const std::string& model) {
  const StageInstance& first = *common.instance;
  if (const std::string name = Difference(common.fixed, fixed); !name.empty()) {
    return "its '" + name + "' is another one, and " + model + " has one for all of a batch";
  }
  if (first.target != instance.target) return "it has another target";
  if (first.container != instance.container) return "it has another container";
  if (first.env != instance.env) return "it has another env";
  if (first.gpus != instance.gpus) return "it has another number of GPUs";
  if (first.timeout != instance.timeout || first.stall_timeout != instance.stall_timeout)
    return "it has other time-outs";
  if (first.retry != instance.retry) return "it has another retry";
  return "";
}

// Why the instance shares its job with no other, whatever the others are; empty when it may. `rules` is its x-batch.
std::string WhyAlone(const StageInstance& instance, const json& rules, const json& fixed, const std::string& model) {
  if (!rules.is_object()) return model + " makes one at a time";
  for (const std::string& name : rules.value("unless", std::vector<std::string>())) {
    if (instance.with.contains(name) && instance.with[name] != false) {
      return "with " + name + " " + model + " makes one at a time";
    }
  }
  const auto deferred =
      std::find_if(fixed.begin(), fixed.end(), [](const json& value) { return HasExpressions(value); });
  return deferred == fixed.end() ? "" : "its '" + deferred.key() + "' is known only during the run";
}

}  // namespace

void FormBatches(const PluginFacts& facts, size_t most, std::vector<StageInstance*> instances, int* next) {
  std::vector<Common> batches;
  for (StageInstance* instance : instances) {
    const json* const branch = ChosenBranch(facts.parameters, facts.parameters, instance->with);
    const json& schema = branch != nullptr ? *branch : facts.parameters;
    const json rules = schema.value("x-batch", json());
    const std::string model = branch != nullptr ? instance->with.value("model", facts.id) : facts.id;
    json fixed = instance->with;
    if (rules.is_object()) {
      for (const std::string& path : rules.value("vary", std::vector<std::string>())) Remove(&fixed, Steps(path), 0);
    }
    instance->batch_note = WhyAlone(*instance, rules, fixed, model);
    if (!instance->batch_note.empty()) continue;
    std::string distinct;
    for (const std::string& name : rules.value("distinct", std::vector<std::string>())) {
      distinct += instance->with.value(name, json()).dump() + "\n";
    }
    std::string why;
    Common* fitting = nullptr;
    for (Common& batch : batches) {
      if (batch.members.size() >= most) continue;
      std::string reason = WhyApart(batch, *instance, fixed, model);
      if (reason.empty() && !distinct.empty() && batch.seen.count(distinct) > 0) {
        reason = "another instance has the same " + Join(rules["distinct"].get<std::vector<std::string>>(), " and ") +
                 ", by which " + model + "'s results are told apart";
      }
      if (reason.empty()) {
        fitting = &batch;
        break;
      }
      if (why.empty()) why = reason;
    }
    if (fitting == nullptr) {
      fitting = &batches.emplace_back(Common{fixed, instance, {}, {}});
      instance->batch_note = why.empty() ? "no other instance fits" : why;
    }
    fitting->members.push_back(instance);
    fitting->seen.insert(distinct);
  }
  for (const Common& batch : batches) {
    if (batch.members.size() < 2) continue;
    for (StageInstance* member : batch.members) {
      member->batch = *next;
      member->batch_note.clear();
    }
    ++*next;
  }
}

}  // namespace cosmos
