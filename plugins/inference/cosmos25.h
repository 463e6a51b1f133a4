#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <map>
#include <string>
#include <vector>

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
// The same for several samples, by the names of their members (kept as spec.jsonl). The files of each are brought to a
// folder of its own, where they have the names that those of one sample have.
sdk::JobSpec Cosmos25Batch(sdk::Task& task, const sdk::Json& parameters,
                           const std::map<std::string, sdk::Json>& samples, const std::vector<std::string>& flags,
                           const std::vector<std::string>& more);
// What is made for a sample, its video excepted.
std::map<std::string, sdk::JobOutput> Cosmos25Outputs();
// The line with which the log of a member's sample begins.
std::string Cosmos25Marker(const std::string& key);

// What both need, but for their videos and the GPU's memory. They download their checkpoints themselves, the model's
// own from `repository` of Hugging Face.
sdk::JobNeeds Cosmos25Needs(const sdk::Json& parameters, const std::string& repository);

// For so many samples, one after the other.
ProgressRules Cosmos25Progress(int samples);

}  // namespace cosmos::plugins
