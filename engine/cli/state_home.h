#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/arguments.h"
#include "store/run_store.h"

namespace cosmos {

// Where the program keeps what lasts: $COSMOS_HOME, else $XDG_DATA_HOME/cosmos-engine, else
// ~/.local/share/cosmos-engine. Throws Error{kUnavailable} when none of the variables is set.
std::filesystem::path StateHome();
// Where the user's processes share what they asked hosts for: $COSMOS_HOME/cache, else $XDG_CACHE_HOME/cosmos-engine,
// else ~/.cache/cosmos-engine; empty when none of the variables is set.
std::filesystem::path CacheFolder();
// --db, else $COSMOS_DB, else runs.db in StateHome(). Absolute.
std::filesystem::path DatabasePath(const Arguments& arguments);
std::unique_ptr<RunStore> OpenStore(const Arguments& arguments);
// $XDG_CONFIG_HOME/cosmos-engine/config.yaml, else below ~/.config; empty when there is no such file.
std::filesystem::path ConfigFile();

// The run that a word of the command line means: a run_id, a unique beginning of one, or `last`. Throws
// Error{kNotFound} or, when several runs begin so, Error{kInvalidInput} that lists them.
RunRecord FindRun(const std::string& word, RunStore* store);

}  // namespace cosmos
