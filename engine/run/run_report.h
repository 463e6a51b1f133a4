#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "store/run_store.h"

namespace cosmos {

// What the store knows of runs, in the JSON that scripts rely on (DESIGN 10). Times are RFC 3339 in UTC or null, texts
// that are not set are null.

// The runs of the store, the newest first; only those of a status, unless that is empty.
std::vector<RunRecord> AllRuns(RunStore* store, const std::string& status = "");

// One run of a list. `engine_alive` tells whether an engine carries it out now.
nlohmann::json RunToJson(const RunRecord& run);
// One run with its stages (every attempt) and their artifacts, and what of it waits for GPUs.
nlohmann::json RunToJson(const RunRecord& run, RunStore* store);
// The same for whoever knows whether an engine carries the run out, such as that engine, which must not look (RunLock).
nlohmann::json RunToJson(const RunRecord& run, RunStore* store, bool engine_alive);

// The folder in which the run was diagnosed; empty when it was not.
std::filesystem::path DiagnosisOf(const RunRecord& run);

// Of one run, or of all when it is empty: what waits for GPUs.
nlohmann::json QueuedToJson(const std::string& run_id, RunStore* store);
// Why it waits, for people.
std::string ReasonOf(const GpuClaimRecord& claim);

// What GPUs an attempt had, times how long it took, or has taken until now; of those that were watched. `usages` are
// those of its run.
double GpuSeconds(const StageRecord& stage, const std::vector<GpuUsageRecord>& usages);

// A container, as cosmos_target_1 of the SDK gives it.
nlohmann::json ContainerToJson(const ContainerRecord& container);

// The status as people are told it: `interrupted` for a run that has not ended and has no engine any more.
std::string StatusForPeople(const RunRecord& run);

}  // namespace cosmos
