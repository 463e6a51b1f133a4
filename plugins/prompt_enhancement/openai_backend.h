#pragma once

#include <cosmos/task.hpp>

#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/interrupt.h"

namespace cosmos::plugins {

// The back end `openai`: a model behind an OpenAI-compatible API, asked from the engine's own process. Throws
// BackendFailure, StageFailure invalid_input, and sdk::Cancelled as soon as `interrupt` is set.
Enhanced EnhanceByOpenAi(const sdk::Task& task, const sdk::Json& parameters, const Interrupt& interrupt);

}  // namespace cosmos::plugins
