#include "cli/command.h"
#include "core/json_values.h"
#include "plugin/catalogue.h"
#include "workflow/editor_schema.h"
#include "workflow/plugin_schemas.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace {

using nlohmann::json;

json SchemaOf(const std::string& what, bool with_plugins, const Catalogue& catalogue) {
  if (what != "workflow" && what != "config") return catalogue.Get(what).facts().parameters;
  const json schema = ParseJson(what == "config" ? ConfigSchema() : WorkflowSchema(), kOwnJson);
  if (!with_plugins) return schema;
  std::vector<const PluginFacts*> plugins;
  for (const PluginLibrary* library : catalogue.All()) plugins.push_back(&library->facts());
  return WithPlugins(schema, plugins);
}

int Schema(const Arguments& arguments, Console* console) {
  const std::string what = arguments.Positional(0).empty() ? "workflow" : arguments.Positional(0);
  const Catalogue catalogue(Catalogue::SearchPath(arguments.Get("plugin-path")));
  console->PrintJson(EditorSchema(SchemaOf(what, arguments.Has("plugins"), catalogue)));
  return kExitSucceeded;
}

}  // namespace

Command SchemaCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back({"plugins", "", "add the parameters of the installed plugins"});
  options.push_back(PluginPathOption());
  return {
      "schema",
      "[workflow|config|PLUGIN] [options]",
      "Prints a JSON Schema, for editors.",
      "Of workflows (the default), of the user's configuration, or of a plugin's parameters. With --plugins that of\n"
      "workflows and of the configuration describes `with` and hooks as well. See docs/editors.md.",
      options,
      {"WHAT", 0, 1},
      Schema};
}

}  // namespace cosmos
