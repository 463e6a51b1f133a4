#include "media/frame_sequence.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "core/error.h"
#include "core/file_pattern.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::array<std::string_view, 10> kExtensions = {".png",  ".jpg", ".jpeg", ".exr", ".tif",
                                                          ".tiff", ".tga", ".dpx",  ".bmp", ".webp"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view Extension(std::string_view path) {
  const std::string_view name = FileName(path);
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view() : name.substr(dot);
}

bool IsHidden(std::string_view path) { return FileName(path).substr(0, 1) == "."; }

// Of digits that may have a sign.
std::int64_t Number(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// A path taken apart at its number.
struct Name {
  std::string prefix;
  std::string digits;  // with the sign
  std::string suffix;
};

// Nothing when there is no number before the extension.
std::optional<Name> TakeApart(const std::string& path) {
  const std::size_t end = path.size() - Extension(path).size();
  std::size_t begin = end;
  while (begin > 0 && IsDigit(path[begin - 1]) && end - begin < FilePattern::kMaxDigits) --begin;
  if (begin == end || (begin > 0 && IsDigit(path[begin - 1]))) return std::nullopt;
  if (begin > 0 && path[begin - 1] == '-' && IsSignBehind(std::string_view(path).substr(0, begin - 1))) --begin;
  return Name{path.substr(0, begin), path.substr(begin, end - begin), path.substr(end)};
}

void Add(const ListedFile& file, const std::string& digits, FrameSequence* sequence) {
  const std::string_view unsigned_digits = std::string_view(digits).substr(digits[0] == '-' ? 1 : 0);
  if (unsigned_digits.size() > 1 && unsigned_digits[0] == '0') {
    sequence->digits = std::max(sequence->digits, unsigned_digits.size());
  }
  const auto [at, added] = sequence->frames.try_emplace(Number(digits), file);
  if (!added) sequence->duplicates.push_back(file.path);
}

// Numbers without a zero in front may be padded all the same: 1001 to 1100.
void SettleDigits(FrameSequence* sequence) {
  const auto width = [](std::int64_t number) { return std::to_string(std::abs(number)).size(); };
  const std::size_t first = width(sequence->frames.begin()->first);
  if (first == width(sequence->frames.rbegin()->first)) sequence->digits = std::max(sequence->digits, first);
}

}  // namespace

std::string FrameSequence::Pattern() const { return prefix + std::string(digits, '#') + suffix; }

FrameSet FrameSequence::Numbers() const {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, file] : frames) numbers.push_back(number);
  return FrameSet(std::move(numbers));
}

bool IsSame(const FrameSequence& a, const FrameSequence& b) {
  return a.prefix == b.prefix && SmallLetters(a.suffix) == SmallLetters(b.suffix);
}

bool IsPicture(std::string_view path) {
  const std::string extension = SmallLetters(Extension(path));
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

FoundFrames FindSequences(const std::vector<ListedFile>& files) {
  FoundFrames found;
  std::map<std::pair<std::string, std::string>, FrameSequence> sequences;
  for (const ListedFile& file : files) {
    if (IsHidden(file.path) || !IsPicture(file.path)) continue;
    const auto name = TakeApart(file.path);
    if (!name) {
      found.others.push_back(file.path);
    } else {
      FrameSequence& sequence = sequences[{name->prefix, SmallLetters(name->suffix)}];
      sequence.prefix = name->prefix;
      if (sequence.suffix.empty()) sequence.suffix = name->suffix;
      Add(file, name->digits, &sequence);
    }
  }
  for (auto& [key, sequence] : sequences) {
    SettleDigits(&sequence);
    found.sequences.push_back(std::move(sequence));
  }
  std::sort(found.others.begin(), found.others.end());
  return found;
}

std::optional<FrameSequence> FindByPattern(const std::string& pattern, const std::vector<ListedFile>& files) {
  const std::vector<NumberPlace> places = NumberPlacesIn(pattern);
  if (places.size() != 1) {
    throw Error(ErrorCode::kInvalidInput,
                "the pattern '" + pattern + "' has " + (places.empty() ? "no place" : "several places") +
                    " for the frame number",
                "write it once, as in depth.%04d.exr, depth.####.exr or 'depth.$F4.exr' (a shell takes $F4 for its own "
                "outside of single quotes)");
  }
  if (!IsPicture(pattern)) {
    throw Error(ErrorCode::kInvalidInput, "the pattern '" + pattern + "' is not that of pictures",
                "expected a name that ends with " +
                    Join(std::vector<std::string>(kExtensions.begin(), kExtensions.end()), ", "));
  }
  FrameSequence sequence;
  sequence.prefix = pattern.substr(0, places[0].at);
  sequence.suffix = pattern.substr(places[0].at + places[0].length);
  for (const ListedFile& file : files) {
    if (const auto digits = DigitsBetween(sequence.prefix, sequence.suffix, file.path)) Add(file, *digits, &sequence);
  }
  if (sequence.frames.empty()) return std::nullopt;
  SettleDigits(&sequence);
  return sequence;
}

}  // namespace cosmos
