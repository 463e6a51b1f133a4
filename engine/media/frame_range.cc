#include "media/frame_range.h"

#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostRanges = 8;  // in a message
constexpr std::size_t kMaxShown = 100;  // characters
constexpr std::size_t kMaxDigits = 10;

// A number that may have a sign.
std::optional<std::int64_t> FrameNumber(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxDigits) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string ToString(FrameRange range) {
  return std::to_string(range.first) + (range.first == range.last ? "" : "-" + std::to_string(range.last));
}

FrameRange ParseFrameRange(std::string_view text) {
  const std::size_t dash = text.find('-', 1);  // a first one is a sign
  const auto first = FrameNumber(text.substr(0, dash));
  const auto last = dash == text.npos ? first : FrameNumber(text.substr(dash + 1));
  if (first && last && *first <= *last) return {*first, *last};
  throw Error(ErrorCode::kInvalidInput, "found '" + TruncateUtf8(text, kMaxShown) + "' as a range of frames",
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
