#pragma once

#include "cli/arguments.h"
#include "cli/console.h"
#include "plugin/catalogue.h"
#include "run/run_session.h"
#include "store/run_store.h"

namespace cosmos {

// Options of every command that carries out a run: --quiet, --verbose, --metrics-file.
std::vector<OptionSpec> CarryOutOptions();

// The file that --metrics-file or $COSMOS_METRICS_FILE names, absolute; empty without one. To be called before anything
// else, also before the current folder is another one. Throws Error{kInvalidInput} when it cannot be written there.
std::filesystem::path MetricsFileOf(const Arguments& arguments);

// Carries out a run with what a person sees of it: progress while it works, its end, where its files are. Ctrl-C once
// cancels it in order, twice leaves at once. Returns the exit status. Throws as CarryOutRun does.
int CarryOut(RunOrder order, RunStore* store, const Catalogue* plugins, const Arguments& arguments, Console* console);

// Plans a run of the store again and carries it on; what `resume` and `retry` share. `file` is the workflow whose text
// is to be taken from now on; empty: the run's own.
int CarryOn(RunOrder::Mode mode, const std::string& retry_from, const std::string& file, const RunRecord& run,
            RunStore* store, const Arguments& arguments, Console* console);

}  // namespace cosmos
