#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cosmos {

// SHA-256 as 64 lower-case hex digits. Any thread.
std::string Sha256(std::string_view bytes);
// The same of a file's content, read in pieces. Throws Error{kIo}.
std::string Sha256OfFile(const std::filesystem::path& path);

}  // namespace cosmos
