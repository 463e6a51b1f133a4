#pragma once

#include <filesystem>
#include <vector>

#include "media/frame_sequence.h"

namespace cosmos {

// The files in the folder and in those below it, by their paths. Hidden folders and `left_out` are not looked into.
// Throws Error{kNotFound} when there is no such folder, kIo when one cannot be read.
std::vector<ListedFile> ListFiles(const std::filesystem::path& folder, const std::filesystem::path& left_out);

}  // namespace cosmos
