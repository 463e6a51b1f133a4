#pragma once

#include <cosmos/parse_json.hpp>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/clock.h"

// Values of JSON as texts for people and programs, and how what is not set stands in the JSON that scripts rely on.
// Pure functions; any thread.
namespace cosmos {

// The one way in for JSON, and for its members; see there.
using sdk::BoolIn;
using sdk::IntegerIn;
using sdk::IntIn;
using sdk::JsonError;
using sdk::kForeignJson;
using sdk::kOwnJson;
using sdk::ListIn;
using sdk::ObjectIn;
using sdk::ParseJson;
using sdk::TextIn;
using sdk::TryParseJson;

// A text as it is, anything else as JSON.
inline std::string PlainText(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Of each value of a list.
inline std::vector<std::string> PlainTexts(const nlohmann::json& values) {
  std::vector<std::string> texts;
  for (const nlohmann::json& value : values) texts.push_back(PlainText(value));
  return texts;
}

// Of each member of an object.
inline std::map<std::string, std::string> PlainMembers(const nlohmann::json& object) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.items()) texts[name] = PlainText(value);
  return texts;
}

// Null for an empty text.
inline nlohmann::json TextOrNull(const std::string& text) {
  return text.empty() ? nlohmann::json() : nlohmann::json(text);
}

// A time of a record as RFC 3339 in UTC; null for 0.
inline nlohmann::json TimeOrNull(std::int64_t milliseconds) {
  return milliseconds == 0 ? nlohmann::json() : nlohmann::json(FormatTime(FromUnixMilliseconds(milliseconds)));
}

}  // namespace cosmos
