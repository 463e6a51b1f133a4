#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "store/records.h"

namespace cosmos {

// The connections that the engine of a run has lost and not made again yet, by what its journal says last:
// [{"target", "since": a time, "reason"}…]. Empty for a run that no engine carries out. Throws nothing for a journal
// that cannot be read.
nlohmann::json LostConnections(const RunRecord& run);
// The same by a journal alone.
nlohmann::json LostConnectionsIn(const std::filesystem::path& journal);

}  // namespace cosmos
