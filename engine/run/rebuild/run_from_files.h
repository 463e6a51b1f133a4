#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/records.h"

namespace cosmos {

// The records of one run as its own files have them. A value.
struct RunFromFiles {
  RunRecord run;
  std::vector<PromptRecord> prompts;
  std::vector<StageRecord> stages;  // in the order in which they began
  std::vector<JobRecord> jobs;
  std::vector<ContainerRecord> containers;
  std::vector<ArtifactRecord> artifacts;
  std::vector<GpuUsageRecord> gpu_usages;
};

// Reads a run's folder, OUTPUT_DIR/.runs/RUN_ID: its run.json, events.jsonl and samples of GPUs. What the files do not
// have (how long jobs of its kind take, the IDs and times of its containers) stays empty; a run without an end is
// `running`, which a run without an engine shows as interrupted. Changes nothing. Throws Error{kNotFound} when the
// folder has neither a usable run.json nor an event, kIo when they cannot be read.
RunFromFiles ReadRunFolder(const std::filesystem::path& folder);

}  // namespace cosmos
