#pragma once

#include <cosmos/task.hpp>

#include "prompt_enhancement/backend.h"

namespace cosmos::plugins {

// The back end `template`: fixed rules (template_rules.h), told of in the log and the record.
Enhanced EnhanceByTemplate(const sdk::Task& task, const sdk::Json& parameters);

}  // namespace cosmos::plugins
