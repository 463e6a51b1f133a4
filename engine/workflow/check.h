#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "workflow/findings.h"
#include "workflow/params.h"
#include "workflow/plan.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// All that a plan depends on, besides the plugins. The same input gives the same plan, so a run that keeps its input
// (the workflow's text, and Plan::params as `params.text`) can be planned again.
struct CheckInput {
  std::string file;         // the workflow's name in messages; without a `name:`, the workflow is named after it
  std::string text;         // its content
  std::string config_file;  // the name of the user's configuration; empty: there is none
  std::string config_text;
  ParamSources params;
  std::string default_target;    // of the stages that name none; empty: local
  bool input_files = true;       // whether input files must exist
  bool any_environment = false;  // whether the workflow may read variables that it does not declare
  // Looks environment variables up; the process's own when empty.
  std::function<std::optional<std::string>(const std::string&)> environment;
  // Gives the text of a workflow that a stage uses, by its absolute path; throws Error. Files of this machine when
  // empty.
  std::function<std::string(const std::string&)> read_used;
};

struct CheckResult {
  Findings findings;         // everything that is wrong: in the order of the workflow, then of the other files
  std::optional<Plan> plan;  // when nothing is
};

// Checks a workflow and plans it. Executes nothing, and throws nothing but what a defect of the engine throws. Any
// thread.
CheckResult Check(const CheckInput& input, const PluginDirectory& plugins);

// A target as it is written down.
struct DefinedTarget {
  nlohmann::json config;  // resolved, shaped by the schema
  std::string where;      // file:line:column; empty for `local` when nobody defines it
};

struct DefinedTargets {
  Findings findings;                             // everything in the way of knowing them
  std::map<std::string, DefinedTarget> targets;  // by name, when nothing is; "local" is always there
};

// The targets of the user's configuration and, unless `input.file` is empty, of the workflow, whose own win. Looks at
// nothing else of the files but their shape, and at no plugins; params need a value only where a target uses them.
DefinedTargets CheckTargets(const CheckInput& input);

}  // namespace cosmos
