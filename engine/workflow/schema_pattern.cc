#include "workflow/schema_pattern.h"

#include <nlohmann/json.hpp>

namespace cosmos {

using nlohmann::json;

bool MatchesPattern(const std::string& text, const std::regex& pattern) {
  return text.size() <= kMaxPatternText && std::regex_search(text, pattern);
}

bool MatchesPattern(const std::string& text, const std::string& pattern) {
  return MatchesPattern(text, std::regex(pattern));
}

bool HasLongKey(const json& value) {
  if (!value.is_structured()) return false;
  for (auto it = value.begin(); it != value.end(); ++it) {
    if ((value.is_object() && it.key().size() > kMaxPatternText) || HasLongKey(*it)) return true;
  }
  return false;
}

}  // namespace cosmos
