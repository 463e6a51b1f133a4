#pragma once

#include <string>

#include "target/target.h"

namespace cosmos {

// Target::List on this machine. Any thread.
FolderListing ListFolder(const std::string& folder, const std::string& within, bool deep);

}  // namespace cosmos
