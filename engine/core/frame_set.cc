#include "core/frame_set.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxShown = 100;       // characters of a text in a message
constexpr std::size_t kMaxPartsShown = 8;    // of a set
constexpr std::size_t kMaxNumber = 10;       // characters, with a sign
constexpr std::size_t kMinSteppedRange = 3;  // frames: `1,3` is shorter than `1-3x2`

// FIRST-LASTxSTEP. A value.
struct Part {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;

  std::size_t frames() const { return static_cast<std::size_t>((last - first) / step + 1); }
};

std::string_view WithoutBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::optional<std::int64_t> NumberIn(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.size() > kMaxNumber || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Part> PartIn(std::string_view text) {
  const std::size_t by = text.find('x');
  const std::string_view range = text.substr(0, by);
  const std::size_t dash = range.find('-', 1);  // a first one is a sign
  if (by != text.npos && dash == range.npos) return std::nullopt;
  const auto first = NumberIn(range.substr(0, dash));
  const auto last = dash == range.npos ? first : NumberIn(range.substr(dash + 1));
  const auto step = by == text.npos ? 1 : NumberIn(text.substr(by + 1));
  if (!first || !last || !step || *first > *last || *step < 1) return std::nullopt;
  return Part{*first, *last, *step};
}

std::string ToText(const Part& part) {
  if (part.first == part.last) return std::to_string(part.first);
  return std::to_string(part.first) + "-" + std::to_string(part.last) +
         (part.step == 1 ? "" : "x" + std::to_string(part.step));
}

// The fewest and longest parts that a look at each frame finds.
std::vector<std::string> PartsOf(const std::vector<std::int64_t>& frames) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < frames.size();) {
    Part part{frames[i], frames[i], 1};
    if (i + 1 < frames.size()) part.step = frames[i + 1] - frames[i];
    std::size_t next = i + 1;
    while (next < frames.size() && frames[next] - frames[next - 1] == part.step) ++next;
    if (part.step > 1 && next - i < kMinSteppedRange) next = i + 1;
    part.last = frames[next - 1];
    parts.push_back(ToText(part));
    i = next;
  }
  return parts;
}

[[noreturn]] void RefuseTooMany() {
  throw Error(ErrorCode::kInvalidInput, "found more than " + std::to_string(FrameSet::kMaxFrames) + " frames",
              "check the first and the last one");
}

}  // namespace

FrameSet::FrameSet(std::vector<std::int64_t> frames) : frames_(std::move(frames)) {
  std::sort(frames_.begin(), frames_.end());
  frames_.erase(std::unique(frames_.begin(), frames_.end()), frames_.end());
  if (frames_.size() > kMaxFrames) RefuseTooMany();
}

FrameSet FrameSet::Range(std::int64_t first, std::int64_t last) {
  if (last - first >= static_cast<std::int64_t>(kMaxFrames)) RefuseTooMany();
  FrameSet set;
  for (std::int64_t frame = first; frame <= last; ++frame) set.frames_.push_back(frame);
  return set;
}

FrameSet FrameSet::Parse(std::string_view text) {
  std::vector<std::int64_t> frames;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const auto part = PartIn(WithoutBlanks(text.substr(at, comma - at)));
    if (!part) {
      throw Error(ErrorCode::kInvalidInput, "found '" + TruncateUtf8(text, kMaxShown) + "' as frames",
                  "expected numbers and ranges FIRST-LAST, such as 1001-1100, 1-100x2 (every second frame) or "
                  "1,5,10-20");
    }
    if (part->frames() > kMaxFrames - frames.size()) RefuseTooMany();
    for (std::int64_t frame = part->first; frame <= part->last; frame += part->step) frames.push_back(frame);
    at = comma + 1;
  }
  return FrameSet(std::move(frames));
}

bool FrameSet::Contains(std::int64_t frame) const { return std::binary_search(frames_.begin(), frames_.end(), frame); }

FrameSet FrameSet::Without(const FrameSet& others) const {
  FrameSet rest;
  std::set_difference(frames_.begin(), frames_.end(), others.frames_.begin(), others.frames_.end(),
                      std::back_inserter(rest.frames_));
  return rest;
}

std::string FrameSet::ToString() const { return Join(PartsOf(frames_), ","); }

std::string FrameSet::Excerpt() const {
  std::vector<std::string> parts = PartsOf(frames_);
  if (parts.size() > kMaxPartsShown) {
    parts.resize(kMaxPartsShown);
    parts.push_back("… (" + std::to_string(frames_.size()) + " frames in all)");
  }
  return Join(parts, ", ");
}

std::string FramesAre(const FrameSet& frames) {
  return (frames.size() == 1 ? "frame " : "frames ") + frames.Excerpt() + (frames.size() == 1 ? " is" : " are");
}

}  // namespace cosmos
