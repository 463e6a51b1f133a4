#pragma once

#include <cstddef>
#include <string>

#include "target/target.h"

namespace cosmos {

constexpr std::size_t kMaxListReply = FolderListing::kMaxBytes + 64;  // bytes of what ListScript prints

// Prints what ParseListing reads: a record `KIND PATH` for each file, and a last one `end STATE`, each ended by a NUL.
// Starts no process for a file. Pure functions, as those of remote_scripts.h.
std::string ListScript(const std::string& folder, const std::string& within, bool deep);
// Throws Error{kUnavailable} when `output` is not what the script prints.
FolderListing ParseListing(const std::string& output);

}  // namespace cosmos
