#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// The JSON Schemas (draft 7) of what users write: the single source for checking and for editors.
namespace cosmos {

// Of a workflow: workflow.schema.json. Valid for the whole program.
std::string_view WorkflowSchema();
// Of the user's configuration, which has targets and hooks as a workflow has them.
std::string ConfigSchema();
// Of the schemas of plugins' parameters: json_schema.schema.json. Valid for the whole program.
std::string_view JsonSchemaSchema();

// The schema of one of the workflow schema's definitions, such as "stage".
nlohmann::json DefinitionSchema(const std::string& definition);

}  // namespace cosmos
