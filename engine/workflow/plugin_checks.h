#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workflow/findings.h"
#include "workflow/plugin_facts.h"
#include "workflow/schema_checker.h"
#include "workflow/scope.h"
#include "workflow/yaml_document.h"

namespace cosmos {

// Checks the use of plugins in one workflow, and what they get as parameters. Not thread-safe.
class PluginChecks {
 public:
  // By plugin id; null: its schema is wrong. Making one takes longer than using it.
  using Checkers = std::map<std::string, std::unique_ptr<SchemaChecker>>;

  // All must outlive the checks. `checkers`: those made so far, and those that are made here.
  PluginChecks(const PluginDirectory* plugins, Checkers* checkers, FindingList* findings)
      : plugins_(*plugins), checkers_(*checkers), findings_(*findings) {}

  // The plugin `id` that is named at `place`; nullptr, and a finding, when there is none of this kind.
  const PluginFacts* Find(const std::string& id, PluginFacts::Kind kind, Place place);

  // `with` (templates, null: none) completed with the defaults of the plugin's schema.
  nlohmann::json WithDefaults(const PluginFacts& facts, const nlohmann::json& with);
  // Checks `with`, which stands at `node` and is called `path` in messages, against the plugin's schema.
  void CheckParameters(const PluginFacts& facts, const nlohmann::json& with, const YamlNode& node,
                       const SchemaPath& path);
  // Checks that no secret reaches a parameter that is written into files ("x-no-secrets"), and that nothing but a
  // secret stands in one that is for secrets ("x-only-secret").
  void CheckSecrets(const PluginFacts& facts, const nlohmann::json& with, const YamlNode& node, const SchemaPath& path);
  // Checks that the files exist that parameters name ("format": "input-file" or "input-path"), where `scope` tells
  // their names.
  void CheckFiles(const PluginFacts& facts, const nlohmann::json& with, const YamlNode& node, const SchemaPath& path,
                  const Scope& scope);

  // The steps of `retry.on_oom` that a stage with these parameters has: "x-oom-steps" of its plugin's schema, or of the
  // branch of it that the parameters choose.
  static std::vector<std::string> OomStepsOf(const PluginFacts& facts, const nlohmann::json& with);
  // The names of a stage's outputs; nothing when they are not known beforehand.
  static std::optional<std::set<std::string>> OutputsOf(const PluginFacts& facts, const nlohmann::json& with);

 private:
  const SchemaChecker* CheckerOf(const PluginFacts& facts);

  const PluginDirectory& plugins_;
  Checkers& checkers_;
  FindingList& findings_;
  std::map<std::pair<std::string, std::string>, bool> is_input_;  // by format and path
};

}  // namespace cosmos
