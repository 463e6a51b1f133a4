#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// Frames by their numbers, as renderers write them: `1001-1100`, `1-100x2` (every second one), `1,5,10-20`, negative
// ones too (`-5--2`). A value; at most kMaxFrames of them.
class FrameSet {
 public:
  static constexpr std::size_t kMaxFrames = 1'000'000;

  FrameSet() = default;
  // In any order, any number of times. Throws Error{kInvalidInput} when there are too many.
  explicit FrameSet(std::vector<std::int64_t> frames);
  // All from `first` to `last`. The same error.
  static FrameSet Range(std::int64_t first, std::int64_t last);
  // What ToString gives, and what a person writes: parts may overlap, and blanks may stand around commas. Throws
  // Error{kInvalidInput}.
  static FrameSet Parse(std::string_view text);

  bool empty() const { return frames_.empty(); }
  std::size_t size() const { return frames_.size(); }
  // REQUIRES: not empty.
  std::int64_t first() const { return frames_.front(); }
  std::int64_t last() const { return frames_.back(); }
  bool Contains(std::int64_t frame) const;
  // In rising order.
  const std::vector<std::int64_t>& frames() const { return frames_; }

  // Those that are not in `others`.
  FrameSet Without(const FrameSet& others) const;
  // `1-99x2,200`; "" for none.
  std::string ToString() const;
  // The same for a message: `1-99x2, 200`, cut behind a few parts.
  std::string Excerpt() const;

  friend bool operator==(const FrameSet&, const FrameSet&) = default;

 private:
  std::vector<std::int64_t> frames_;  // rising, each once
};

// `frame 7 is` or `frames 3, 7-9 are`, as the excerpt. REQUIRES: `frames` is not empty.
std::string FramesAre(const FrameSet& frames);

}  // namespace cosmos
