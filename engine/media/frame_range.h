#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// The first and the last of consecutive frames. A value.
struct FrameRange {
  std::int64_t first = 0;
  std::int64_t last = 0;

  std::int64_t frames() const { return last - first + 1; }
  bool Holds(std::int64_t frame) const { return first <= frame && frame <= last; }
  friend bool operator==(const FrameRange&, const FrameRange&) = default;
};

// `1001-1100`, or `1001` alone.
std::string ToString(FrameRange range);
// The inverse. Throws Error{kInvalidInput}.
FrameRange ParseFrameRange(std::string_view text);

// Numbers in rising order as the ranges that they make.
std::vector<FrameRange> RangesOf(const std::vector<std::int64_t>& numbers);
// `frame 7 is` or `frames 3, 7-9 are`; very many are cut.
std::string FramesAre(const std::vector<FrameRange>& ranges);

}  // namespace cosmos
