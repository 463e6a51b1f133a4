#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "store/run_store.h"

namespace cosmos {

// What the store knows of runs, in the JSON that scripts rely on (DESIGN 10). Times are RFC 3339 in UTC or null, texts
// that are not set are null.

// One run of a list. `engine_alive` tells whether an engine carries it out now.
nlohmann::json RunToJson(const RunRecord& run);
// One run with its stages (every attempt) and their artifacts.
nlohmann::json RunToJson(const RunRecord& run, RunStore* store);
// The same for whoever knows whether an engine carries the run out, such as that engine, which must not look (RunLock).
nlohmann::json RunToJson(const RunRecord& run, RunStore* store, bool engine_alive);

// The folder in which the run was diagnosed; empty when it was not.
std::filesystem::path DiagnosisOf(const RunRecord& run);

// A container, as cosmos_target_1 of the SDK gives it.
nlohmann::json ContainerToJson(const ContainerRecord& container);

// The status as people are told it: `interrupted` for a run that has not ended and has no engine any more.
std::string StatusForPeople(const RunRecord& run);

}  // namespace cosmos
