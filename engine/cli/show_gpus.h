#pragma once

#include <string>
#include <vector>

#include "cli/console.h"
#include "store/run_store.h"

namespace cosmos {

// The lines about what a stage attempt's GPUs did, of those of its run; empty when that was not watched.
std::string GpuUsageText(const StageRecord& stage, const std::vector<GpuUsageRecord>& usages);

// Draws what the GPUs of the run's stages did over the time: on the console, or, unless `svg` is empty, into that file,
// which is written anew. Throws Error{kNotFound} when nothing was watched, Error{kIo} when the file cannot be written.
void PlotGpus(const RunRecord& run, RunStore* store, const std::string& svg, Console* console);

}  // namespace cosmos
