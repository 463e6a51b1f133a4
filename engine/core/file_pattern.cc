#include "core/file_pattern.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/wildcards.h"

namespace cosmos {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool HasWildcards(std::string_view name) { return name.find_first_of("*?") != name.npos; }

}  // namespace

std::vector<NumberPlace> NumberPlacesIn(std::string_view pattern) {
  const auto skip = [&](std::size_t from, std::string_view characters) {
    return std::min(pattern.find_first_not_of(characters, from), pattern.size());
  };
  std::vector<NumberPlace> places;
  for (std::size_t at = 0; at < pattern.size();) {
    std::size_t end = at;
    if (pattern[at] == '#') {
      end = skip(at, "#");
    } else if (pattern.substr(at, 2) == "$F") {
      end = skip(at + 2, kDigits);
    } else if (pattern[at] == '%') {
      const std::size_t letter = skip(at + 1, kDigits);
      const bool padded = letter > at + 2 && pattern[at + 1] == '0';
      if (pattern.substr(letter, 1) == "d" && (letter == at + 1 || padded)) end = letter + 1;
    }
    if (end > at) places.push_back({at, end - at});
    at = std::max(end, at + 1);
  }
  return places;
}

bool IsSignBehind(std::string_view prefix) {
  const std::string_view name = FileName(prefix);
  return name.empty() || std::string_view("._-").find(name.back()) != std::string_view::npos;
}

bool FilePattern::IsPattern(std::string_view path) {
  return HasWildcards(FileName(path)) || !NumberPlacesIn(FileName(path)).empty();
}

FilePattern::FilePattern(std::string path) : path_(std::move(path)) {
  const std::size_t name = path_.rfind('/') + 1;
  const std::vector<NumberPlace> places = NumberPlacesIn(path_);
  const std::string found = "the pattern '" + Harmless(path_) + "' ";
  if (HasWildcards(std::string_view(path_).substr(0, name)) || (!places.empty() && places.front().at < name)) {
    throw Error(ErrorCode::kInvalidInput, found + "varies the name of a folder",
                "expected `*`, `?` or the frame number in the file's name alone; name the folder with a '/' at its end "
                "for all that is in it");
  }
  if (places.size() > 1 || (!places.empty() && HasWildcards(path_))) {
    throw Error(ErrorCode::kInvalidInput,
                found + (places.size() > 1 ? "has several places for the frame number"
                                           : "has wildcards and a place for the frame number"),
                "expected one place for the number, as in beauty.####.exr, or wildcards, as in *.exr");
  }
  if (!places.empty()) {
    place_ = places.front();
  } else if (!HasWildcards(path_)) {
    throw Error(ErrorCode::kInvalidInput, found + "has no place for the frame number",
                "expected one, as in beauty.####.exr, beauty.%04d.exr or beauty.$F4.exr");
  }
}

std::optional<std::string> DigitsBetween(std::string_view prefix, std::string_view suffix, std::string_view path) {
  const std::size_t around = prefix.size() + suffix.size();
  if (path.size() <= around || path.substr(0, prefix.size()) != prefix) return std::nullopt;
  if (SmallLetters(path.substr(path.size() - suffix.size())) != SmallLetters(suffix)) return std::nullopt;
  const std::string_view digits = path.substr(prefix.size(), path.size() - around);
  const std::string_view number = digits.substr(digits[0] == '-' && IsSignBehind(prefix) ? 1 : 0);
  if (number.empty() || number.size() > FilePattern::kMaxDigits) return std::nullopt;
  if (number.find_first_not_of(kDigits) != number.npos) return std::nullopt;
  return std::string(digits);
}

std::optional<std::string> FilePattern::DigitsIn(std::string_view path) const {
  if (!place_) return std::nullopt;
  const std::string_view pattern = path_;
  return DigitsBetween(pattern.substr(0, place_->at), pattern.substr(place_->at + place_->length), path);
}

std::optional<std::int64_t> FilePattern::FrameOf(std::string_view path) const {
  const auto digits = DigitsIn(path);
  if (!digits) return std::nullopt;
  std::int64_t frame = 0;
  std::from_chars(digits->data(), digits->data() + digits->size(), frame);
  return frame;
}

bool FilePattern::Matches(std::string_view path) const {
  if (place_) return DigitsIn(path).has_value();
  const std::size_t at = path_.rfind('/') + 1;
  if (path.substr(0, at) != std::string_view(path_).substr(0, at) || path.find('/', at) != path.npos) return false;
  const std::string_view pattern = std::string_view(path_).substr(at), name = path.substr(at);
  const bool hidden = name.substr(0, 1) == "." && pattern.substr(0, 1) != ".";
  return !hidden && MatchesWildcards(pattern, name, WildcardUnit::kCharacter);
}

}  // namespace cosmos
