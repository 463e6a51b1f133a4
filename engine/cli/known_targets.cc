#include "cli/known_targets.h"

#include "cli/load_workflow.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"
#include "target/ssh/ssh_options.h"

namespace cosmos {
namespace {

CheckInput ReadConfiguration() {
  CheckInput input;
  input.config_file = ConfigFile();
  try {
    if (!input.config_file.empty()) input.config_text = ReadFileUpTo(input.config_file, kForeignJson.bytes);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidInput, "the configuration cannot be read: " + error.message(), "check the path");
  }
  return input;
}

}  // namespace

std::vector<OptionSpec> TargetsOfWorkflowOptions() {
  return {{"workflow", "FILE", "also the targets of this workflow"},
          {"param,p", "NAME=VALUE", "set a param of the workflow; may be repeated", true},
          {"params", "FILE", "set its params from a YAML or JSON file"}};
}

std::optional<DefinedTargets> ReadTargets(const Arguments& arguments, Console* console) {
  const bool workflow = arguments.Has("workflow");
  if (!workflow && (arguments.Has("param") || arguments.Has("params"))) {
    throw Error(ErrorCode::kInvalidInput, "params were given, and no workflow that has any", "add --workflow FILE");
  }
  DefinedTargets defined =
      CheckTargets(workflow ? ReadWorkflow(arguments.Get("workflow"), arguments) : ReadConfiguration());
  if (defined.findings.empty()) return defined;
  PrintFindings(defined.findings, console);
  return std::nullopt;
}

std::string HostOf(const nlohmann::json& target) {
  return target.contains("ssh") ? NameOf(SshOptionsOf(target["ssh"])) : "";
}

}  // namespace cosmos
