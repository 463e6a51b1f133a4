#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cosmos {

// The pixels of an EXR's depth channel: the whole picture as it is shown, row by row from the top. A value.
struct DepthPicture {
  int width = 0;
  int height = 0;
  std::vector<float> depth;  // infinity: there is nothing at this pixel
};

// EXR files through OpenEXR. ffmpeg reads their colours, but neither a depth channel (`Z`, `depth.Z`), nor does it tell
// when half of a file is missing. Any thread. All throw Error{kInvalidInput} that says why a file cannot be used,
// without its name.

struct ExrSize {
  int width = 0;
  int height = 0;
};

// Reads all of the first part, so what is damaged or incomplete is found; it must have the channels R, G, B or Y,
// which ffmpeg takes.
ExrSize CheckExrColour(const std::filesystem::path& file);

// Reads the channel that holds the depth, in whichever part: `Z`, `depth.Z`, `depth`, `Pz`, …, else the luminance or
// the red one. Where nothing was hit renderers write infinity, huge numbers or 0: all of these become infinity.
DepthPicture ReadExrDepth(const std::filesystem::path& file);

}  // namespace cosmos
