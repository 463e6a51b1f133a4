#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "workflow/plugin_facts.h"

namespace cosmos {

// `schema`, that of workflows or of the configuration (workflow_schema.h), with what the plugins say of themselves: a
// stage uses one of them and has its parameters, and so do hooks. Pure.
nlohmann::json WithPlugins(nlohmann::json schema, const std::vector<const PluginFacts*>& plugins);

}  // namespace cosmos
