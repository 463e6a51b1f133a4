#pragma once

#include <nlohmann/json.hpp>

#include "workflow/yaml_document.h"

namespace cosmos {

// Gives numbers and booleans in `value`, which stands at `node` of its document, back the text that they are written
// as, where `schema` takes a text and not them: `shot: 0010`, `version: 1.10` and `prompt: 25` are texts for whoever
// wants texts. `"x-text": true` in a schema says that it means a text whatever else it takes.
void KeepTexts(const nlohmann::json& schema, const YamlNode& node, nlohmann::json* value);

// The same for a value that no document holds, such as what expressions became: numbers and booleans as JSON has them.
void KeepTexts(const nlohmann::json& schema, nlohmann::json* value);

}  // namespace cosmos
