#include "workflow/schema_pattern.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cosmos {

using nlohmann::json;

bool MatchesPattern(const std::string& text, const std::regex& pattern) {
  return text.size() <= kMaxPatternText && std::regex_search(text, pattern);
}

bool ExceedsPatternText(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() > kMaxPatternText;
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      if (name.size() > kMaxPatternText || ExceedsPatternText(member)) return true;
    }
    return false;
  }
  return value.is_array() && std::any_of(value.begin(), value.end(), ExceedsPatternText);
}

}  // namespace cosmos
