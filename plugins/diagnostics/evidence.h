#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "diagnostics/item.h"
#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// What in the collected texts may have to do with the failure, a sentence each, the most telling first: errors of GPUs
// and processes that were killed for want of memory since the run began, disks and memories that are nearly full,
// containers that the kernel killed, lost connections. `now` is the time of the collection. Pure.
std::vector<std::string> EvidenceIn(const std::vector<Item>& items, const RunFacts& run,
                                    std::chrono::system_clock::time_point now);

}  // namespace cosmos::plugins
