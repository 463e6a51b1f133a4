#pragma once

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "run/targets/target_judge.h"

namespace cosmos {

// Connects to the target that `config`, shaped by the workflow's schema, describes, and looks whether jobs can be done
// there; makes its working folder, as a run would. One that cannot be reached gives the one check `connection`. Throws
// nothing for what is wrong with the target.
TargetChecks CheckTarget(const nlohmann::json& config, Clock* clock);

}  // namespace cosmos
