#include "core/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>

namespace cosmos {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the valid UTF-8 character at the start of `text` (RFC 3629: no overlong forms, no surrogates), or 0.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

// The number of a valid character of `length` bytes.
std::uint32_t CodePoint(std::string_view text, size_t length) {
  constexpr std::uint32_t kFirst[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t point = static_cast<uint8_t>(text[0]) & kFirst[length];
  for (size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  return point;
}

// C1 controls, separators of lines, marks and overrides of the direction of writing, tags, invisible format characters.
bool ChangesOthers(std::uint32_t point) {
  return (point >= 0x80 && point <= 0x9F) || point == 0x061C || point == 0x200B || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF ||
         (point >= 0xFFF9 && point <= 0xFFFB) || (point >= 0xE0000 && point <= 0xE007F);
}

bool IsPlain(char c) { return (c >= ' ' && c < 0x7F) || c == '\n' || c == '\t'; }

}  // namespace

std::string Excerpt(std::string_view text, size_t max_characters) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  text = text.substr(0, text.find('\n'));
  return TruncateUtf8(text.substr(0, text.find_last_not_of('\r') + 1), max_characters);
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string SmallLetters(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

std::string Harmless(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t plain = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), IsPlain) - text.begin());
    result += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = CharacterLength(text);
    const std::uint32_t point = length == 0 ? 0 : CodePoint(text, length);
    if (length == 0) {
      result += kReplacement;
    } else if (point < 0x20) {
      const bool of_newline = text.substr(0, 2) == "\r\n";
      if (!of_newline) result += {'\xE2', '\x90', static_cast<char>(0x80 + point)};  // U+2400 and the following
    } else if (point == 0x7F) {
      result += "\xE2\x90\xA1";
    } else if (ChangesOthers(point)) {
      char number[16];
      std::snprintf(number, sizeof number, "<U+%04X>", static_cast<unsigned>(point));
      result += number;
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

std::string ShellQuote(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,@%+=";
  // A '=' in the first word would be taken for an assignment, so only words without one stay bare.
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos && text.find('=') == text.npos) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string ShellCommand(const std::vector<std::string>& argv) {
  std::string command;
  for (const std::string& word : argv) {
    if (!command.empty()) command += ' ';
    command += ShellQuote(word);
  }
  return command;
}

std::string TruncateUtf8(std::string_view text, size_t max_characters) {
  std::string result;
  for (size_t characters = 0; !text.empty() && characters < max_characters; ++characters) {
    const size_t length = CharacterLength(text);
    result += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

std::string NearestOf(std::string_view word, const std::vector<std::string>& candidates) {
  // Comparing takes the product of both lengths.
  constexpr size_t kMaxLength = 128;
  constexpr size_t kMaxCandidates = 1000;
  if (word.size() > kMaxLength) return "";
  const size_t allowed = std::max<size_t>(1, word.size() / 3);
  std::string nearest;
  size_t best = allowed + 1;
  for (size_t i = 0; i < candidates.size() && i < kMaxCandidates; ++i) {
    const std::string& candidate = candidates[i];
    if (candidate.size() > kMaxLength) continue;
    const size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestOf(word, candidates);
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  if (candidates.empty()) return "";
  constexpr size_t kMaxListed = 50;
  if (candidates.size() <= kMaxListed) return "expected one of " + Join(candidates, ", ");
  const std::vector<std::string> first(candidates.begin(), candidates.begin() + kMaxListed);
  return "expected one of " + Join(first, ", ") + ", … (" + std::to_string(candidates.size()) + " in all)";
}

std::string Counted(std::int64_t number, std::string_view noun) {
  std::string text = std::to_string(number) + " ";
  text += noun;
  return number == 1 ? text : text + "s";
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace cosmos
