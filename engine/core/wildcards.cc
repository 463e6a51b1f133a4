#include "core/wildcards.h"

#include <cstddef>

namespace cosmos {
namespace {

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t LengthAt(std::string_view text, std::size_t at, WildcardUnit unit) {
  std::size_t end = at + 1;
  while (unit == WildcardUnit::kCharacter && end < text.size() && ContinuesCharacter(text[end])) ++end;
  return end - at;
}

}  // namespace

bool MatchesWildcards(std::string_view pattern, std::string_view text, WildcardUnit unit) {
  std::size_t p = 0, t = 0, star = pattern.npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += LengthAt(text, t, unit);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace cosmos
