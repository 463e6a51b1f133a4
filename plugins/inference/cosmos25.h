#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>

#include "common/model_progress.h"

// How examples/inference.py of nvidia-cosmos/cosmos-transfer2.5 and cosmos-predict2.5 is driven. Both take samples as
// JSON (-i) and the set-up of the models as arguments, and name their files after the sample.
namespace cosmos::plugins {

// Schemas of the parameters of both, with the defaults of the two.
sdk::Json Cosmos25Parameters();

// The job that makes one sample; `sample` without its name, kept as spec.json. `flags` are boolean parameters of the
// model, besides those of Cosmos25Parameters(), each an argument of the same name; `more` stands behind them.
sdk::JobSpec Cosmos25Job(sdk::Task& task, const sdk::Json& parameters, sdk::Json sample,
                         const std::vector<std::string>& flags, const std::vector<std::string>& more);

// Whether an earlier attempt ran out of GPU memory and this step was taken for it.
bool HasOomStep(const sdk::Task& task, const char* step);

ProgressRules Cosmos25Progress();

}  // namespace cosmos::plugins
