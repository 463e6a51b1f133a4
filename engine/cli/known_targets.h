#pragma once

#include <optional>
#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"
#include "workflow/check.h"

namespace cosmos {

// The options with which ReadTargets reads a workflow: --workflow, -p, --params.
std::vector<OptionSpec> TargetsOfWorkflowOptions();

// The targets of the user's configuration and, with --workflow, of that workflow. Nothing, and what was found printed,
// when a file is wrong. Throws Error{kInvalidInput} when one cannot be read.
std::optional<DefinedTargets> ReadTargets(const Arguments& arguments, Console* console);

// Where the target is: `user@host:port` as far as it is given, an alias, or "" for this machine.
std::string HostOf(const nlohmann::json& target);

}  // namespace cosmos
