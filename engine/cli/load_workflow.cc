#include "cli/load_workflow.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "cli/command.h"
#include "cli/output_reference.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/text.h"
#include "workflow/input_text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// The `seed:` of the instances that have one, by key, for `show`.
nlohmann::json SeedsOf(const Plan& plan) {
  nlohmann::json seeds = nlohmann::json::object();
  for (const StageInstance& instance : plan.instances) {
    const auto seed = instance.with.find("seed");
    if (seed != instance.with.end() && seed->is_number()) seeds[instance.key()] = *seed;
  }
  return seeds;
}

}  // namespace

std::vector<OptionSpec> WorkflowOptions() {
  return {
      {"param,p", "NAME=VALUE", "set a param; may be repeated. run:RUN/STAGE/OUTPUT is an earlier run's output", true},
      {"params", "FILE", "set params from a YAML or JSON file"},
      {"target", "NAME", "where stages run that name no target"}};
}

std::string ReadWorkflowFile(const std::string& path) { return ReadInputText("workflow", path); }

void ReadConfig(CheckInput* input) {
  const fs::path config = ConfigFile();
  input->config_file = config;
  input->config_text = config.empty() ? "" : ReadInputText("configuration", config);
}

CheckInput ReadWorkflow(const std::string& path, const Arguments& arguments) {
  CheckInput input;
  input.file = path;
  input.text = ReadWorkflowFile(path);
  ReadConfig(&input);
  if (arguments.Has("params")) {
    input.params.file = arguments.Get("params");
    input.params.text = ReadInputText("params file", input.params.file);
  }
  input.params.overrides = WithOutputsOfRuns(arguments.All("param"), [&] { return OpenStore(arguments); });
  input.default_target = arguments.Get("target");
  return input;
}

CheckInput ReadAgain(const RunInputs& inputs) {
  CheckInput input;
  input.file = inputs.workflow_path;
  input.text = inputs.workflow_text;
  input.config_file = inputs.config_path;
  input.config_text = inputs.config_text;
  input.params.file = "the params of the run";
  input.params.text = inputs.params.dump();
  input.default_target = inputs.target;
  input.read_used = [texts = inputs.used_workflows](const std::string& path) {
    const auto known = texts.find(path);
    if (known != texts.end()) return known->second;
    throw Error(ErrorCode::kInvalidInput, "the run did not keep it",
                "start the workflow again with `cosmos-engine run`");
  };
  input.input_files = false;
  input.any_environment = true;  // of a run that goes on, whose workflow may be older than the rule
  return input;
}

void Take(const CheckInput& input, const Plan& plan, RunInputs* inputs) {
  inputs->workflow_path = fs::absolute(input.file);
  inputs->workflow_text = input.text;
  inputs->used_workflows = plan.used_workflows;
  inputs->config_path = input.config_file;
  inputs->config_text = input.config_text;
  inputs->params = plan.params;
  inputs->targets = plan.targets;
  inputs->seeds = SeedsOf(plan);
}

RunInputs InputsOf(const CheckInput& input, const Plan& plan, const Arguments& arguments) {
  RunInputs inputs;
  Take(input, plan, &inputs);
  inputs.target = input.default_target;
  inputs.plugin_path = arguments.Get("plugin-path");
  inputs.working_folder = fs::current_path();
  return inputs;
}

nlohmann::json FindingsToJson(const Findings& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"file", finding.file},
                    {"line", finding.line},
                    {"column", finding.column},
                    {"message", finding.message},
                    {"hint", finding.hint}});
  }
  return {{"ok", findings.empty()}, {"findings", list}};
}

void PrintFindings(const Findings& findings, Console* console) {
  if (console->json()) {
    console->PrintJson(FindingsToJson(findings));
    return;
  }
  for (const Finding& finding : findings) console->PrintError(ToText(finding));
  if (!findings.empty()) {
    console->PrintError(Counted(static_cast<std::int64_t>(findings.size()), "problem") +
                        " found; nothing was executed");
  }
}

}  // namespace cosmos
