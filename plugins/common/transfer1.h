#pragma once

#include <array>
#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <vector>

#include "common/model_progress.h"

// How the script of cosmos-transfer1 is driven, cosmos_transfer1/diffusion/inference/transfer.py of
// nvidia-cosmos/cosmos-transfer1: what its renders and its 4K upscaler share. Argument names, defaults and log lines
// are that script's.
namespace cosmos::plugins {

// Schemas of the parameters that both have, with the script's defaults.
sdk::Json Transfer1Parameters();

// The job that runs the script on `spec` (its --controlnet_specs, kept as spec.json) with the arguments that the
// parameters say; `more` stands behind them. It makes output.mp4 and output.txt.
sdk::JobSpec Transfer1Job(sdk::Task& task, const sdk::Json& parameters, const sdk::Json& spec,
                          const std::vector<std::string>& more);

ProgressRules Transfer1Progress();

// The sizes it makes; it takes the one nearest in shape to the input.
std::vector<std::array<int, 2>> Transfer1Sizes();

}  // namespace cosmos::plugins
