#include "media/frame_range.h"

#include <regex>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostRanges = 8;  // in a message

}  // namespace

std::string ToString(FrameRange range) {
  return std::to_string(range.first) + (range.first == range.last ? "" : "-" + std::to_string(range.last));
}

FrameRange ParseFrameRange(std::string_view text) {
  static const std::regex kRange("([0-9]{1,10})(?:-([0-9]{1,10}))?");
  std::match_results<std::string_view::const_iterator> match;
  if (std::regex_match(text.begin(), text.end(), match, kRange)) {
    const std::int64_t first = std::stoll(match[1].str());
    const FrameRange range{first, match[2].matched ? std::stoll(match[2].str()) : first};
    if (range.first <= range.last) return range;
  }
  throw Error(ErrorCode::kInvalidInput, "found '" + std::string(text) + "' as a range of frames",
              "expected FIRST-LAST, such as 1001-1100");
}

std::vector<FrameRange> RangesOf(const std::vector<std::int64_t>& numbers) {
  std::vector<FrameRange> ranges;
  for (const std::int64_t number : numbers) {
    if (!ranges.empty() && ranges.back().last + 1 == number) {
      ranges.back().last = number;
    } else {
      ranges.push_back({number, number});
    }
  }
  return ranges;
}

std::string FramesAre(const std::vector<FrameRange>& ranges) {
  std::vector<std::string> parts;
  for (const FrameRange& range : ranges) {
    if (parts.size() == kMostRanges) {
      parts.push_back("… (" + std::to_string(ranges.size()) + " ranges in all)");
      break;
    }
    parts.push_back(ToString(range));
  }
  const bool one = ranges.size() == 1 && ranges[0].frames() == 1;
  return (one ? "frame " : "frames ") + Join(parts, ", ") + (one ? " is" : " are");
}

}  // namespace cosmos
