#pragma once

#include <cosmos/task.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "diagnostics/item.h"
#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// Those of the run itself: its record, workflow, parameters, versions, the commands sent to its targets, the engine's
// log, and for each suspect the end of its log, its job's folder and environment. The pointers must outlive them.
std::vector<Collector> RunCollectors(sdk::Task* task, const RunFacts* run);

// The last lines of a file of this machine. Throws std::runtime_error when it is none that can be read.
std::string LastLines(const std::string& path, std::size_t lines);

}  // namespace cosmos::plugins
