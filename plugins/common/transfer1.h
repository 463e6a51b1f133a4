#pragma once

#include <array>
#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <map>
#include <string>
#include <vector>

#include "common/model_progress.h"

// How the script of cosmos-transfer1 is driven, cosmos_transfer1/diffusion/inference/transfer.py of
// nvidia-cosmos/cosmos-transfer1: what its renders and its 4K upscaler share. Argument names, defaults and log lines
// are that script's.
namespace cosmos::plugins {

// Schemas of the parameters that both have, with the script's defaults.
sdk::Json Transfer1Parameters();

// The checkpoints below checkpoint_dir that a job needs, those of its controls by their names there, such as
// "edge_control.pt"; and its GPU, of which 80 GB are known to be enough, and 60 GB not to be.
sdk::JobNeeds Transfer1Needs(const sdk::Json& parameters, const std::string& model,
                             const std::vector<std::string>& controls);

// The job that runs the script on `spec` (its --controlnet_specs, kept as spec.json) with the arguments that the
// parameters say; `more` stands behind them. It makes output.mp4 and output.txt.
sdk::JobSpec Transfer1Job(sdk::Task& task, const sdk::Json& parameters, const sdk::Json& spec,
                          const std::vector<std::string>& more);
// The same for several clips, one for each member of a batch: `clips` are the lines of its --batch_input_path (kept as
// clips.jsonl), `keys` the members' names, by which their folders are called. The script numbers its results anew when
// one is blocked, so each is found by its prompt.
sdk::JobSpec Transfer1Batch(sdk::Task& task, const sdk::Json& parameters, const sdk::Json& spec,
                            std::vector<std::string> more, const std::vector<sdk::Json>& clips,
                            const std::vector<std::string>& keys);

// What it makes for one clip; `prompt_file` is the name of the file with its prompt.
std::map<std::string, sdk::JobOutput> Transfer1Outputs(const sdk::Json& parameters, const char* prompt_file);

// For so many clips, one after the other.
ProgressRules Transfer1Progress(int clips = 1);
// Names of the parameters that the duration of a job depends on.
std::vector<std::string> Transfer1Durations();

// The sizes it makes; it takes the one nearest in shape to the input.
std::vector<std::array<int, 2>> Transfer1Sizes();

}  // namespace cosmos::plugins
