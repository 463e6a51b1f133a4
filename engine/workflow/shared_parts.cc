#include "workflow/shared_parts.h"

#include "workflow/expression.h"
#include "workflow/schema_texts.h"
#include "workflow/workflow_schema.h"

namespace cosmos {

using nlohmann::json;

void SharedParts::CheckTargetReferences(DocumentCheck* check) {
  for (const auto& [name, target] : ObjectIn(check->document.value(), "targets").items()) {
    ReferenceRules rules;
    rules.place = "target '" + name + "'";
    rules.deferred = false;
    check->references.Check(target, *check->document.root().Nearest(SchemaPath{"targets", name}), rules);
  }
}

void SharedParts::CheckReferences(DocumentCheck* check) {
  CheckTargetReferences(check);
  const json& value = check->document.value();
  const YamlNode& root = check->document.root();
  for (const auto& [id, with] : ObjectIn(value, "hooks").items()) {
    if (with.is_boolean()) continue;
    const YamlNode& node = *root.Nearest(SchemaPath{"hooks", id});
    ReferenceRules rules;
    rules.place = "hook '" + id + "'";
    rules.stages = false;
    check->references.Check(with, node, rules);
    const PluginFacts* facts = check->plugins.Find(id, PluginFacts::Kind::kHook, node.key);
    if (facts == nullptr || (!with.is_object() && !with.is_null())) continue;
    KeepTexts(facts->parameters, node, &(*check->document.mutable_value())["hooks"][id]);
    const SchemaPath path = {"hooks", id};
    check->plugins.CheckParameters(*facts, check->plugins.WithDefaults(*facts, with), node, path);
    check->plugins.CheckSecrets(*facts, with, node, path);
  }
}

void SharedParts::Take(DocumentCheck* check, const KnownScope& scope) {
  TakeTargets(check, scope);
  TakeHooks(check, scope);
}

void SharedParts::TakeTargets(DocumentCheck* check, const KnownScope& scope) {
  for (const auto& [name, target] : ObjectIn(check->document.value(), "targets").items()) {
    const YamlNode& node = *check->document.root().Nearest(SchemaPath{"targets", name});
    const auto resolved =
        check->Resolved("target '" + name + "'", node, [&, &target = target] { return Resolve(target, scope); });
    if (!resolved) continue;
    if (*resolved != target) {
      const SchemaChecker checker = SchemaChecker::OfOwn(DefinitionSchema("target"));
      check->Add(checker.Check(*resolved, Texts::kPlain, {"targets", name}), node, 2);
    }
    if (targets_.emplace(name, *resolved).second) places_[name] = check->Where(node.key);
  }
}

void SharedParts::TakeHooks(DocumentCheck* check, const KnownScope& scope) {
  const json& hooks = ObjectIn(check->document.value(), "hooks");
  for (const auto& [id, node] : NodeIn(check->document.root(), "hooks").members) {
    if (!hooks.contains(id)) continue;
    const bool is_new = known_hooks_.emplace(id, true).second;
    if (!is_new || hooks[id].is_boolean()) continue;
    const PluginFacts* facts = check->plugins.Find(id, PluginFacts::Kind::kHook, node.key);
    if (facts == nullptr) continue;
    const auto resolved = check->Resolved("hook '" + id + "'", node, [&, &id = id] {
      return check->plugins.WithDefaults(*facts, ResolveKnown(hooks[id], scope));
    });
    if (!resolved) continue;
    check->plugins.CheckParameters(*facts, *resolved, node, {"hooks", id});
    hooks_.push_back({id, *resolved, check->Where(node.key)});
  }
}

}  // namespace cosmos
