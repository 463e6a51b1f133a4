#pragma once

#include <cosmos/task.hpp>
#include <string>
#include <vector>

#include "diagnostics/item.h"
#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// Those of the run's containers, as the engine's `containers` (cosmos_target_1) tell of them: which there are on each
// target, and the state and the log of each one of the suspects. The pointers must outlive them.
std::vector<Collector> ContainerCollectors(sdk::Task* task, const RunFacts* run, const sdk::Json& containers);

// What `docker inspect` printed, with the values of variables masked whose names look like secrets, or all of them.
// Throws std::runtime_error when it is no such thing. Pure.
std::string RedactedInspection(const std::string& text, bool names_only);

}  // namespace cosmos::plugins
