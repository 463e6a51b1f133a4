#pragma once

#include <string>

#include "workflow/plugin_facts.h"

namespace cosmos {

// What a plugin says of itself, as sdk/include/cosmos/plugin.h has it. Throws a std::exception that says why it cannot
// be read; whether its ID is usable is checked elsewhere.
PluginFacts ReadDescription(const std::string& text);

}  // namespace cosmos
