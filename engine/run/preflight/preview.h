#pragma once

#include <nlohmann/json.hpp>

#include "plugin/catalogue.h"
#include "run/run_paths.h"
#include "workflow/plan.h"

namespace cosmos {

// What one stage instance would do, told without doing anything (`run --dry-run`). An object: stage, instance, uses,
// target, needs (keys), prompt_name, when, with (what only the run brings stands as its expression), env, timeout,
// stall_timeout, retry and on_oom (the steps that change something) when given, batch
// (the keys of all that share its job) or batch_note (why it shares none) when asked for, log_path, `job` (what would
// be run; null when the stage starts none or it cannot be told yet) and `inputs` (the local files that would be brought
// to the target).
nlohmann::json Preview(const Plan& plan, const StageInstance& instance, const Catalogue& plugins,
                       const RunPaths& paths);

}  // namespace cosmos
