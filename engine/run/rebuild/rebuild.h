#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/run_store.h"

namespace cosmos {

// The folders of runs (…/.runs/RUN_ID) below the output folders, each once and in order; an output folder may be named
// by its `.runs` too. Throws Error{kNotFound} when one of them has no runs.
std::vector<std::filesystem::path> RunFoldersBelow(const std::vector<std::filesystem::path>& output_dirs);

struct RebuildReport {
  struct LeftOut {
    std::filesystem::path folder;
    std::string reason;
  };
  std::vector<std::string> restored;  // run IDs, the oldest first
  std::vector<LeftOut> left_out;
};

// Puts the runs of `folders` into the store, as their own files have them (ReadRunFolder), in one transaction. Runs
// that the store has already are replaced, so that doing it twice gives the same; those that an engine carries out are
// left out. Other runs of the store stay. Throws Error{kUnavailable} when the store cannot be written; then nothing has
// changed.
RebuildReport Rebuild(const std::vector<std::filesystem::path>& folders, RunStore* store);

struct StoreCheck {
  std::vector<std::string> damage;  // see RunStore::FindDamage; the rest is empty when there is some
  std::size_t runs = 0;
  std::vector<RunRecord> without_files;                // runs whose folder below their output folder is gone
  std::vector<std::filesystem::path> without_records;  // folders of runs that the database does not know
  bool ok() const { return damage.empty() && without_files.empty() && without_records.empty(); }
};

// Compares the database at `path` with the folders of runs: below the output folders of its runs, and below
// `output_dirs`. Throws Error{kNotFound} without a database, kConflict when it has another schema.
StoreCheck CheckStore(const std::filesystem::path& path, const std::vector<std::filesystem::path>& output_dirs);

}  // namespace cosmos
