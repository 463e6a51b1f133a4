#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// Where a pattern has the number of a frame.
struct NumberPlace {
  std::size_t at;
  std::size_t length;
};

// `%d` or `%04d`, a run of `#`, and `$F` or `$F4`.
std::vector<NumberPlace> NumberPlacesIn(std::string_view pattern);

// A path that stands for several files of one folder. Its name has wildcards, `frames/*.exr` (`*` any characters, `?`
// one; hidden files are left out as a shell does), or it names the frames of a sequence by a place for their number,
// `frames/beauty.####.exr`. How many digits the place names does not matter, and the letters behind it may be small or
// capital. A value.
class FilePattern {
 public:
  static constexpr std::size_t kMaxDigits = 10;  // of a frame number; longer ones are dates, hashes and the like

  // Whether the name of `path` reads as a pattern.
  static bool IsPattern(std::string_view path);
  // Throws Error{kInvalidInput} when it is none, or mixes both kinds, or has several places for the number, or has one
  // in a folder's name.
  explicit FilePattern(std::string path);

  bool is_sequence() const { return place_.has_value(); }
  // With its '/', or empty.
  std::string folder() const { return path_.substr(0, path_.rfind('/') + 1); }
  // Of a sequence: what of `path` is the number, with its sign; nothing when `path` is none of its files. The number is
  // negative when its sign stands alone or behind another separator: `color.-0005.png`.
  std::optional<std::string> DigitsIn(std::string_view path) const;
  // The same as a number.
  std::optional<std::int64_t> FrameOf(std::string_view path) const;
  bool Matches(std::string_view path) const;

 private:
  std::string path_;
  std::optional<NumberPlace> place_;
};

// What of `path` is the number of a frame between `prefix` and `suffix`, as FilePattern::DigitsIn.
std::optional<std::string> DigitsBetween(std::string_view prefix, std::string_view suffix, std::string_view path);

// Whether a '-' behind this is the sign of a number: it stands alone or behind a separator, as in `depth.-0010.exr`. In
// `depth-0010.exr` it separates.
bool IsSignBehind(std::string_view prefix);

}  // namespace cosmos
