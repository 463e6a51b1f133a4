#pragma once

#include "run/preflight/preflight.h"
#include "run/preflight/stage_needs.h"
#include "target/gpu/gpu_reading.h"

namespace cosmos {

// What a stage's needs of GPUs and driver come to: of every stage that asks for GPUs there must be as many that work,
// and what its plugin needs of them besides. `measured_memory` is what one GPU held in earlier jobs like it, in bytes,
// and counts more than what the plugin says; 0: not known. What nvidia-smi does not tell gives a warning, and so does
// memory that is in use as long as the stage waits for GPUs.
PreflightFindings JudgeGpus(const StageNeeds& needs, const GpuReading& reading, std::int64_t measured_memory);

// Whether the user's own arguments for the container engine give a container GPUs. `container` is that of a stage.
bool ArgsGiveGpus(const nlohmann::json& container);

// Whether a stage that needs a GPU asks for one by `resources.gpus`: without that its container gets none, and without
// a container nothing keeps others off the one it takes. Needs no answers.
PreflightFindings JudgeResources(const StageNeeds& needs);

}  // namespace cosmos
