#pragma once

#include <cosmos/task.hpp>
#include <string>
#include <vector>

#include "diagnostics/item.h"
#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// Those of one machine: gpu, system, kernel, environment, versions. The pointers must outlive them.
std::vector<Collector> MachineCollectors(sdk::Task* task, const RunFacts* run, const std::string& target);

// `NAME=VALUE` lines of `env`, of which values are masked whose names look like secrets, or all of them. What is no
// such line is kept and counted in `strange`. Pure.
std::string RedactedEnvironment(const std::string& text, bool names_only, std::size_t* variables, std::size_t* strange);

}  // namespace cosmos::plugins
