#pragma once

#include "cli/console.h"
#include "store/run_store.h"

namespace cosmos {

// Prints a run with its stages, logs and outputs, as text or, with --format json, as one object.
void ShowRun(const RunRecord& run, RunStore* store, Console* console);

}  // namespace cosmos
