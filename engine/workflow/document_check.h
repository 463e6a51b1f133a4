#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/json_values.h"
#include "workflow/findings.h"
#include "workflow/plugin_checks.h"
#include "workflow/reference_checker.h"
#include "workflow/schema_checker.h"
#include "workflow/yaml_document.h"

namespace cosmos {

// One file under check, with what is found in it. Not thread-safe.
struct DocumentCheck {
  using Environment = ReferenceChecker::Environment;

  DocumentCheck(std::string text, std::string file, const PluginDirectory* directory, PluginChecks::Checkers* checkers,
                const Environment* environment);
  DocumentCheck(const DocumentCheck&) = delete;
  DocumentCheck& operator=(const DocumentCheck&) = delete;

  // Keeps the document's texts by the schema, and reports where the document, called `root_name`, does not fit it.
  void CheckShape(const SchemaChecker& checker, const std::string& root_name);
  // Tells of `problems`, whose paths start at `node` after `prefix` steps.
  void Add(const SchemaProblems& problems, const YamlNode& node, size_t prefix);
  // What `resolve` gives; nothing, and a finding at `node`, when it throws. `name`: as messages call it.
  std::optional<nlohmann::json> Resolved(const std::string& name, const YamlNode& node,
                                         const std::function<nlohmann::json()>& resolve);
  std::string Where(Place place) const;

  YamlDocument document;
  FindingList findings;
  PluginChecks plugins;
  ReferenceChecker references;
};

// The node of a member; the object's own when it is not there.
const YamlNode& NodeIn(const YamlNode& node, const char* key);

}  // namespace cosmos
