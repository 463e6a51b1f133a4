#pragma once

#include "run/metrics/metrics_text.h"
#include "store/run_store.h"

namespace cosmos {

// Adds what the store knows of all runs, also of those that it has forgotten. Only what never changes any more is
// counted: a run that failed may be tried again, an attempt that failed has. Throws what the store throws.
void AddStoreMetrics(RunStore* store, MetricsText* text);

}  // namespace cosmos
