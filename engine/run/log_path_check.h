#pragma once

#include <filesystem>
#include <string>

#include "workflow/plan.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// Throws Error{kInvalidInput} when the log of a stage or handler below `output_dir` could have a longer path than the
// store keeps, in any of its attempts; to be called before anything is executed. `run_id` may be of the same length
// only.
void CheckLogPaths(const Plan& plan, const PluginDirectory& plugins, const std::filesystem::path& output_dir,
                   const std::string& run_id);

}  // namespace cosmos
