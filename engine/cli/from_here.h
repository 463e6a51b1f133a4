#pragma once

#include <filesystem>
#include <string>

namespace cosmos {

// The path as short as it can be typed from the current folder: relative where it is below it.
std::string FromHere(const std::filesystem::path& path);

}  // namespace cosmos
