#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <regex>
#include <string>

namespace cosmos {

// std::regex recurses for each character, so a long text would overflow the stack.
constexpr std::size_t kMaxPatternText = 1000;  // bytes

// Whether the pattern is found in the text. A text above the limit matches no pattern.
bool MatchesPattern(const std::string& text, const std::regex& pattern);
bool MatchesPattern(const std::string& text, const std::string& pattern);

// Whether a key in the value exceeds the limit.
bool HasLongKey(const nlohmann::json& value);

}  // namespace cosmos
