#include "cli/command.h"
#include "cli/load_workflow.h"
#include "plugin/catalogue.h"

namespace cosmos {
namespace {

int Validate(const Arguments& arguments, Console* console) {
  const Catalogue plugins(Catalogue::SearchPath(arguments.Get("plugin-path")));
  Findings findings;
  for (const std::string& path : arguments.positionals()) {
    const Findings found = Check(ReadWorkflow(path, arguments), plugins).findings;
    findings.insert(findings.end(), found.begin(), found.end());
    if (found.empty() && !console->json()) console->PrintLine(path + ": ok");
  }
  if (console->json() || !findings.empty()) PrintFindings(findings, console);
  return findings.empty() ? kExitSucceeded : kExitWrongInput;
}

}  // namespace

Command ValidateCommand() {
  std::vector<OptionSpec> options = WorkflowOptions();
  for (const OptionSpec& option : CommonOptions()) options.push_back(option);
  options.push_back(PluginPathOption());
  constexpr std::size_t kMostFiles = 10000;
  return {"validate",
          "WORKFLOW... [options]",
          "Checks workflows and executes nothing.",
          "Everything that is wrong is told at once, each with file:line:column. Exit status 2 when anything is.",
          options,
          {"WORKFLOW", 1, kMostFiles},
          Validate};
}

}  // namespace cosmos
