#pragma once

#include <string>

#include "core/clock.h"
#include "store/run_store.h"

namespace cosmos {

// How `cancel` came out.
enum class CancelOutcome {
  kAsked,      // the run's engine is alive and was told; it ends the run in order
  kCancelled,  // the run had no engine any more; its jobs were ended and its record says cancelled
  kEnded,      // the run had ended before
};

// Cancels a run from any process. Throws Error{kNotFound} for a run that is not in the store, Error{kUnavailable} when
// something of a run without an engine could not be ended, Error{kConnectionLost} when its target cannot be reached.
CancelOutcome CancelRun(const std::string& run_id, RunStore* store, Clock* clock);

// Whether an engine carries the run out now.
bool IsActive(const RunRecord& run);

}  // namespace cosmos
