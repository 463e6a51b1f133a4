#pragma once

#include <functional>
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
  std::string default_target;  // of the stages that name none; empty: local
  bool input_files = true;     // whether input files must exist
  // Looks environment variables up; the process's own when empty.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

struct CheckResult {
  Findings findings;         // everything that is wrong: in the order of the workflow, then of the other files
  std::optional<Plan> plan;  // when nothing is
};

// Checks a workflow and plans it. Executes nothing, and throws nothing but what a defect of the engine throws. Any
// thread.
CheckResult Check(const CheckInput& input, const PluginDirectory& plugins);

}  // namespace cosmos
