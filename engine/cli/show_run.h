#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/console.h"
#include "store/run_store.h"

namespace cosmos {

// Prints a run with its stages, logs and outputs, as text or, with --format json, as one object.
void ShowRun(const RunRecord& run, RunStore* store, Console* console);

// `connection to 'gpu1' 12 s ago: REASON; its jobs go on`, of an element of LostConnections (run/lost_connections.h).
std::string LostConnectionText(const nlohmann::json& lost);

// For people: `12 B`, `3.4 MB`.
std::string FormatSize(std::int64_t bytes);

}  // namespace cosmos
