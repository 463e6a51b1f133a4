#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "event/bus.h"
#include "plugin/catalogue.h"
#include "run/run_engine.h"
#include "run/run_inputs.h"
#include "store/run_store.h"
#include "target/target.h"
#include "workflow/plan.h"

namespace cosmos {

struct RunOrder {
  enum class Mode {
    kNew,
    kResume,  // an engine is gone: go on where it was
    kRetry,   // the run has ended without success: try again what did not succeed
  };

  Mode mode = Mode::kNew;
  std::string run_id;
  Plan plan;
  RunInputs inputs;
  std::filesystem::path output_dir;  // absolute
  std::string retry_from;            // for kRetry: a stage, or empty
  std::set<std::string> changed;     // for kRetry: the instances, by key, that are no longer what the run began with
  bool verbose = false;
  std::filesystem::path cache_folder;  // of what a user's processes share; empty: nothing
  std::vector<Subscription> watchers;  // besides journal and hooks
  std::filesystem::path metrics_file;  // absolute; empty: none is written
  // Of a new run, called with its targets when all can be used and nothing has been executed; what it throws ends the
  // run before it began. May be empty.
  std::function<void(const std::map<std::string, Target*>& targets, const CancelToken& cancel)> before;
};

// Carries out one run from its lock to its final record: the whole of what `run`, `resume` and `retry` do once the
// workflow is checked. `cancel` ends it in order. Blocks; one run at a time per process and run_id.
// Throws Error: kInvalidInput before anything was executed (a secret is missing, a target refuses the engine),
// kConnectionLost when a target cannot be reached (a resumed run waits for it instead), kConflict when another engine
// has the run, and what makes it impossible to go on; the run then stays as it is for `resume`.
RunEnd CarryOutRun(const RunOrder& order, RunStore* store, const Catalogue* plugins, Clock* clock, CancelToken* cancel);

}  // namespace cosmos
