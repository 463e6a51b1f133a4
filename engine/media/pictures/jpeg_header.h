#pragma once

#include <filesystem>

namespace cosmos {

// Checks the size that the header of a JPEG file claims against the limits: OpenImageIO takes memory for the pixels of
// a progressive one before it reports the size. A header that is damaged is left to OpenImageIO. Throws
// Error{kInvalidInput}.
void CheckJpegHeader(const std::filesystem::path& file);

}  // namespace cosmos
