#pragma once

#include <string>

#include "run/run_state.h"
#include "store/run_store.h"

namespace cosmos {

// The log of the first stage that failed for good, or else of the last one that has any; handlers do not count. Empty
// when no stage has one.
std::string LogOfRun(const RunState& run, RunStore* store);

}  // namespace cosmos
