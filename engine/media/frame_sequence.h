#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/frame_set.h"

namespace cosmos {

// A file as a folder lists it. A value.
struct ListedFile {
  std::string path;  // below the folder that was listed, with '/'
  std::int64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since the epoch
};

// Pictures whose names differ by a number alone. A value.
struct FrameSequence {
  std::string prefix;                         // of the path, up to the number: `city/depth.`
  std::string suffix;                         // behind it: `.exr`; files may have other letters, `.EXR`
  std::size_t digits = 1;                     // that numbers are padded to with zeros; 1: they are not
  std::map<std::int64_t, ListedFile> frames;  // by number; never empty
  std::vector<std::string> duplicates = {};   // further files for a number that is there: `a.1.png` beside `a.01.png`

  // `city/depth.####.exr`, a '#' for each digit.
  std::string Pattern() const;
  // The frames that are there. Throws Error{kInvalidInput} when there are too many.
  FrameSet Numbers() const;
};

// What a folder of rendered frames holds.
struct FoundFrames {
  std::vector<FrameSequence> sequences;  // by their patterns
  std::vector<std::string> others;       // pictures that have no number
};

// Whether the name is that of a picture that a renderer writes: .png .jpg .jpeg .exr .tif .tiff .tga .dpx .bmp .webp,
// in capital letters too.
bool IsPicture(std::string_view path);

// Whether both have the files of the same names.
bool IsSame(const FrameSequence& a, const FrameSequence& b);

// Sorts the pictures among the files into sequences; other and hidden files are left out. The number is what stands
// before the extension: `color.0001.png`, `frame_0001.png`, `depth-1.exr`, `0001.png`. It is negative when its sign
// stands alone or behind another separator: `color.-0005.png`.
FoundFrames FindSequences(const std::vector<ListedFile>& files);

// The frames that a pattern stands for, or nothing when there are none. The place of the number is written `%04d`,
// `####` or `$F4`; how many digits it names does not matter. Throws Error{kInvalidInput} when there is no such place,
// or more than one.
std::optional<FrameSequence> FindByPattern(const std::string& pattern, const std::vector<ListedFile>& files);

}  // namespace cosmos
