#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "workflow/matrix.h"
#include "workflow/plugin_facts.h"
#include "workflow/schema_path.h"
#include "workflow/yaml_document.h"

namespace cosmos {

// One stage, or one handler of on_failure and its like, as it stands in the workflow. Does not own value, node and
// facts.
struct StageSource {
  std::string id;
  std::string list;  // `stages`, or the handlers' list
  SchemaPath path;   // from the document's root
  nlohmann::json* value = nullptr;
  const YamlNode* node = nullptr;
  const PluginFacts* facts = nullptr;  // of its plugin, or of the workflow that it uses
  bool is_workflow = false;            // what it uses is a workflow

  std::vector<std::string> matrix_keys;
  std::vector<MatrixInstance> instances;
  int max_parallel = 0;             // of them at once; 0: any number
  std::set<std::string> refers_to;  // the stages that its expressions name

  bool is_handler() const { return list != "stages"; }
  std::string name() const { return is_handler() ? NameOf(path) : "stage '" + id + "'"; }
};

// The keys of a matrix that both stages have.
std::vector<std::string> SharedKeys(const StageSource& one, const StageSource& other);

}  // namespace cosmos
