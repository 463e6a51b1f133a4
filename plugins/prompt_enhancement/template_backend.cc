#include "prompt_enhancement/template_backend.h"

#include "common/parameters.h"
#include "prompt_enhancement/template_rules.h"

namespace cosmos::plugins {

using sdk::Json;
using sdk::LogLevel;

Enhanced EnhanceByTemplate(const sdk::Task& task, const Json& parameters) {
  const Enhancement made =
      EnhanceByRules(parameters.at("prompt").get<std::string>(),
                     {Text(parameters, "camera"), Text(parameters, "light"), Text(parameters, "style")});
  Json added = Json::array();
  for (const Addition& addition : made.added) {
    task.Log(LogLevel::kInfo, "added for " + addition.aspect + ": '" + addition.text + "' (" + addition.why + ")");
    added.push_back({{"aspect", addition.aspect}, {"text", addition.text}, {"why", addition.why}});
  }
  for (const std::string& kept : made.kept) task.Log(LogLevel::kInfo, kept);
  return {made.prompt, {{"added", added}, {"not_added", made.kept}}};
}

}  // namespace cosmos::plugins
