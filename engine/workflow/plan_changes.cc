#include "workflow/plan_changes.h"

#include <algorithm>
#include <map>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/yaml_document.h"

namespace cosmos {
namespace {

using nlohmann::json;

bool IsSameWork(const StageInstance& a, const StageInstance& b) {
  return a.uses == b.uses && a.target == b.target && a.matrix == b.matrix && a.with == b.with && a.env == b.env &&
         a.when == b.when && a.prompt_name == b.prompt_name && a.gpus == b.gpus && a.container == b.container;
}

// `/stages/a~1b/with` -> `stages.a/b.with`.
std::string NameOfPointer(const json::json_pointer& pointer) {
  std::vector<std::string> steps;
  for (json::json_pointer at = pointer; !at.empty(); at = at.parent_pointer()) steps.push_back(at.back());
  std::reverse(steps.begin(), steps.end());
  return Join(steps, ".");
}

std::string Short(const json& value) {
  constexpr std::size_t kMaxValue = 60;
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::string start = TruncateUtf8(text, kMaxValue);
  return start.size() < text.size() ? start + "…" : text;
}

json ValueOf(const std::string& text) { return YamlDocument::Parse(text, "").value(); }

}  // namespace

std::set<std::string> ChangedInstances(const Plan& before, const Plan& now) {
  std::map<std::string, const StageInstance*> known;
  for (const StageInstance& instance : before.instances) known[instance.key()] = &instance;
  std::set<std::string> changed;
  for (const StageInstance& instance : now.instances) {
    const auto found = known.find(instance.key());
    if (found == known.end() || !IsSameWork(*found->second, instance)) changed.insert(instance.key());
  }
  return changed;
}

std::vector<std::string> ChangesOfText(const std::string& before, const std::string& now) {
  std::vector<std::string> changes;
  const json old = ValueOf(before);
  for (const json& change : json::diff(old, ValueOf(now))) {
    const json::json_pointer pointer(change["path"].get<std::string>());
    const std::string name = pointer.empty() ? "the file" : NameOfPointer(pointer);
    if (change["op"] == "add") {
      changes.push_back(name + " is new");
    } else if (change["op"] == "remove") {
      changes.push_back(name + " is gone");
    } else {
      changes.push_back(name + " is " + Short(change["value"]) + ", was " + Short(old[pointer]));
    }
  }
  return changes;
}

json ParamsForText(const json& params, const std::string& before, const std::string& now) {
  const json was = ValueOf(before);
  const json is = ValueOf(now);
  const json& old = ObjectIn(was, "params");
  const json& declared = ObjectIn(is, "params");
  json kept = json::object();
  for (const auto& [name, value] : params.items()) {
    if (!declared.contains(name)) continue;
    const json& declaration = ObjectIn(old, name.c_str());
    const bool is_default = declaration.contains("default") && declaration["default"] == value;
    if (!is_default) kept[name] = value;
  }
  return kept;
}

}  // namespace cosmos
