#include "common/choice_schema.h"

namespace cosmos::plugins {

sdk::Json ChoiceSchema(const std::string& chooser, const std::string& fallback, const std::vector<Choice>& choices) {
  sdk::Json schema = {{"type", "object"}, {"discriminator", {{"propertyName", chooser}}}};
  std::string description;
  for (const Choice& choice : choices) {
    schema["properties"][chooser]["enum"].push_back(choice.name);
    description += (description.empty() ? "" : " ") + choice.name + ": " + choice.summary;
    sdk::Json branch = choice.parameters;
    branch["properties"][chooser] = {{"const", choice.name}};
    schema["oneOf"].push_back(std::move(branch));
  }
  schema["properties"][chooser]["description"] = description;
  if (fallback.empty()) {
    schema["required"] = {chooser};
  } else {
    schema["properties"][chooser]["default"] = fallback;
  }
  return schema;
}

}  // namespace cosmos::plugins
