#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/console.h"
#include "plugin/catalogue.h"
#include "workflow/plan.h"

namespace cosmos {

// Prints what a run would do: its params and, in an order in which they may run, its stages with their resolved
// parameters, what they would bring to their target and what they would run there. `preflight` (null: none) is part of
// the JSON form.
void PrintPlan(const Plan& plan, const Catalogue& plugins, const std::filesystem::path& output_dir,
               const nlohmann::json& preflight, Console* console);

}  // namespace cosmos
