#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/console.h"

namespace cosmos {

// A status report (run/status/status_report.h) for people: a paragraph for each target with its GPUs, containers and
// jobs, the runs that have not ended, and what is wrong, with what to do about it.
std::string StatusText(const nlohmann::json& report, const Console& console);

}  // namespace cosmos
