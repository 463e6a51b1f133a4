#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "workflow/findings.h"
#include "workflow/yaml_document.h"

namespace cosmos {

// Where the values of params come from, besides the workflow's defaults; what stands later wins.
struct ParamSources {
  std::string file;                    // the name of the params file, for messages; empty: none
  std::string text;                    // its content: a YAML or JSON object
  std::vector<std::string> overrides;  // `NAME=VALUE` each
  std::set<std::string> deferred;      // the names of those whose values only the run brings
};

// The values of all params that `workflow` declares. What is wrong with declarations, defaults and the values given
// goes to `findings` (the workflow's) and `others` (the params file's and the overrides').
nlohmann::json ResolveParams(const YamlDocument& workflow, const ParamSources& sources, FindingList* findings,
                             Findings* others);

// The JSON Schema of the values of one param. What is wrong in the declaration is left out.
nlohmann::json SchemaOfParam(const nlohmann::json& declaration);

// `text`, as given on a command line, as a value of the declared type: arrays as JSON or with commas, objects as JSON.
// A text that is no such value stays a text, which the check of types then refuses.
nlohmann::json ParamValueOf(const std::string& text, const nlohmann::json& declaration);

}  // namespace cosmos
