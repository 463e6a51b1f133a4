#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "media/pictures/picture_window.h"

namespace cosmos {

// What OpenImageIO does not do for EXR files, by OpenEXR. All throw Error{kInvalidInput} that says why a file cannot be
// used, without its name. Any thread.

// Checks the headers of all parts: sizes and chunks within the limits, and no chunk missing.
void CheckExrHeaders(const std::filesystem::path& file);

// Where the pixels stand of a file whose colours are a luminance, `Y`, and chroma of half the size, `RY` and `BY`,
// which OpenImageIO refuses. Nothing: it is no such file.
std::optional<PicturePlacement> LuminanceChroma(const std::filesystem::path& file);

// Calls `take(y, row)` with red, green and blue of each row of such a file's data window, from the top.
void ReadLuminanceChroma(const std::filesystem::path& file, const std::function<void(int y, const float* row)>& take);

}  // namespace cosmos
