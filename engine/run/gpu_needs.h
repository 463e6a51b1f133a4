#pragma once

#include "run/preflight.h"
#include "run/stage_needs.h"
#include "run/target_facts.h"

namespace cosmos {

// What a stage's needs of GPUs and driver come to, by the facts `nvidia_smi` and `gpu` of TargetQuestions. What
// nvidia-smi does not tell (it may print `[N/A]` and the like for any value) gives a warning.
PreflightFindings JudgeGpus(const StageNeeds& needs, const TargetFacts& answers);

// Whether a stage that needs a GPU asks for one by `resources.gpus`: without that its container gets none, and without
// a container nothing keeps others off the one it takes. Needs no answers.
PreflightFindings JudgeResources(const StageNeeds& needs);

}  // namespace cosmos
