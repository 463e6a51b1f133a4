#pragma once

#include <filesystem>
#include <string>

namespace cosmos {

// The name that OpenImageIO has for the format that the file's extension says, such as "openexr". The file must begin
// as one of that format does: nothing is tried, so a file can be no other than it seems. Throws Error{kInvalidInput}
// with what was found instead, or why the file cannot be opened.
std::string FormatOf(const std::filesystem::path& file);

}  // namespace cosmos
