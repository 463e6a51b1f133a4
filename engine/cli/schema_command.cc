#include "cli/command.h"
#include "plugin/catalogue.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace {

int Schema(const Arguments& arguments, Console* console) {
  const std::string what = arguments.Positional(0).empty() ? "workflow" : arguments.Positional(0);
  if (what == "workflow") {
    console->Print(WorkflowSchema());
  } else if (what == "config") {
    console->Print(ConfigSchema());
  } else {
    const Catalogue plugins(Catalogue::SearchPath(arguments.Get("plugin-path")));
    console->PrintJson(plugins.Get(what).facts().parameters);
  }
  return kExitSucceeded;
}

}  // namespace

Command SchemaCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(PluginPathOption());
  return {"schema",
          "[workflow|config|PLUGIN] [options]",
          "Prints a JSON Schema, for editors.",
          "Of workflows (the default), of the user's configuration, or of a plugin's parameters.",
          options,
          {"WHAT", 0, 1},
          Schema};
}

}  // namespace cosmos
