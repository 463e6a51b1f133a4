#pragma once

#include <filesystem>

#include "core/status.h"
#include "store/records.h"
#include "target/target.h"

namespace cosmos {

// How a job that has ended failed, if it did, as a sentence for people that names its log. `container` is what is known
// of its container, or null. Pure; any thread.
Failure FailureOf(const JobState& state, const std::filesystem::path& log, const ContainerRecord* container);

}  // namespace cosmos
