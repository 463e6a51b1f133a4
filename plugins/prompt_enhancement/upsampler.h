#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "prompt_enhancement/backend.h"

namespace cosmos::plugins {

// The back end `cosmos-upsampler`: the prompt upsampler of cosmos-transfer1 (Pixtral 12B), as one durable job on the
// stage's target.

// The job, made from the parameters alone.
sdk::JobSpec UpsamplerJob(sdk::Task& task, const sdk::Json& parameters);

// Runs the job and reads what it made. Throws BackendFailure when the model failed or printed no prompt, and whatever
// else Task::RunJob throws.
Enhanced EnhanceByUpsampler(sdk::Task& task, const sdk::Json& parameters);

// The prompt, of one or more lines, in what the upsampler printed on its standard output: it begins behind the words
// `Upsampled prompt:` at the start of a line, and ends where a library has written a log line. Nothing when there is no
// such line.
std::optional<std::string> UpsampledPrompt(std::string_view printed);

}  // namespace cosmos::plugins
