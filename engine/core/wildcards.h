#pragma once

#include <string_view>

namespace cosmos {

// What `?` stands for one of.
enum class WildcardUnit { kByte, kCharacter };

// Whether all of `text` matches a pattern of `*` (anything, also nothing) and `?` (one byte, or one character of UTF-8;
// a byte that is part of none counts as one). In time of the product of both lengths.
bool MatchesWildcards(std::string_view pattern, std::string_view text, WildcardUnit unit);

}  // namespace cosmos
