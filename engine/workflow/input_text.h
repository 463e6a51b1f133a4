#pragma once

#include <filesystem>
#include <string>

namespace cosmos {

// The text of a file that a person wrote: a workflow, a configuration or a file of params. `what`: as messages call it.
// Throws Error{kInvalidInput} when it cannot be read (no file, too large, not UTF-8), with what to do.
std::string ReadInputText(const std::string& what, const std::filesystem::path& path);

}  // namespace cosmos
