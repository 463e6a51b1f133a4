#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "store/run_store.h"

namespace cosmos {

// The names by which what belongs to a run can be told on disk: its run_id, and the operation ids of its stages.
std::set<std::string> NamesOfRun(const RunRecord& run, const std::vector<StageRecord>& stages);

// What one run left below its output folder. All of it is there, belongs to this run alone, and is really below that
// folder, wherever links lead. A value.
struct RunFiles {
  std::filesystem::path folder;               // .runs/RUN_ID with its lock; empty: there is none
  std::vector<std::filesystem::path> others;  // files, links and folders: logs, diagnostics, and what it made
  std::int64_t size = 0;                      // bytes that removing all of it frees
};

// Finds them; `outputs` says whether what the run made is meant too, its folders (…/RUN_ID, …/OPERATION_ID) with all
// that is in them. Changes nothing, and leaves out what cannot be looked at.
RunFiles FilesOfRun(const RunRecord& run, RunStore* store, bool outputs);

}  // namespace cosmos
