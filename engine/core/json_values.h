#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/clock.h"

// How what is not set stands in the JSON that scripts rely on. Pure functions; any thread.
namespace cosmos {

// Null for an empty text.
inline nlohmann::json TextOrNull(const std::string& text) {
  return text.empty() ? nlohmann::json() : nlohmann::json(text);
}

// A time of a record as RFC 3339 in UTC; null for 0.
inline nlohmann::json TimeOrNull(std::int64_t milliseconds) {
  return milliseconds == 0 ? nlohmann::json() : nlohmann::json(FormatTime(FromUnixMilliseconds(milliseconds)));
}

}  // namespace cosmos
