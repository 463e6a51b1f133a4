#pragma once

#include <cstdint>
#include <string>

#include "cli/console.h"
#include "store/run_store.h"

namespace cosmos {

// Prints a run with its stages, logs and outputs, as text or, with --format json, as one object.
void ShowRun(const RunRecord& run, RunStore* store, Console* console);

// For people: `12 B`, `3.4 MB`.
std::string FormatSize(std::int64_t bytes);

}  // namespace cosmos
