// SPDX-License-Identifier: BSL-1.0
//
// Reading JSON that somebody else wrote: a host, a server, a file. Engine and plugins parse all of it here, and read
// members whose types they cannot rely on with the functions below, none of which throws for a wrong type.
// tests/integration/parsers_test.cc holds them to it.
#ifndef COSMOS_PARSE_JSON_HPP_
#define COSMOS_PARSE_JSON_HPP_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cosmos::sdk {

using Json = nlohmann::json;

// Printing, copying and comparing a value recurse into it, so its depth must be bounded; and a value takes up to about
// 16 times the memory of its text.
struct JsonLimits {
  std::size_t bytes;
  int depth;  // how many lists and objects may be open at once
};

// Of what comes from hosts, servers and users.
inline constexpr JsonLimits kForeignJson = {std::size_t{16} << 20, 100};
// Of the engine's own files and of what crosses the plugin ABI: these hold foreign values within others.
inline constexpr JsonLimits kOwnJson = {std::size_t{64} << 20, 200};

// A text is not JSON, or exceeds the limits. The message is a clause such as `it nests more than 100 levels deep`.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Whether lists and objects in `text` nest at most `depth` levels. Of a text that is not JSON it says nothing useful.
inline bool NestsWithin(std::string_view text, int depth) noexcept {
  int open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++open > depth) return false;
    } else if (c == ']' || c == '}') {
      --open;
    }
  }
  return true;
}

// The value of `text`. Throws JsonError.
inline Json ParseJson(std::string_view text, JsonLimits limits = kForeignJson) {
  if (text.size() > limits.bytes) {
    throw JsonError("it is larger than " + std::to_string(limits.bytes >> 20) + " MiB");
  }
  if (!NestsWithin(text, limits.depth)) {
    throw JsonError("it nests more than " + std::to_string(limits.depth) + " levels deep");
  }
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    // Such as `[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …`.
    const std::string_view reason = error.what();
    const std::size_t end = reason.find("] ");
    throw JsonError("it is not JSON: " + std::string(reason.substr(end == reason.npos ? 0 : end + 2)));
  }
}

// The same; a value for which is_discarded() holds, and which has no other type, where ParseJson throws.
inline Json TryParseJson(std::string_view text, JsonLimits limits = kForeignJson) {
  if (text.size() > limits.bytes || !NestsWithin(text, limits.depth)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

// The member of `object` with that name, if `object` is one and the member has the type; otherwise what is given.
inline std::string TextIn(const Json& object, const char* name, const std::string& otherwise = {}) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

inline std::int64_t IntegerIn(const Json& object, const char* name, std::int64_t otherwise) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (found == object.end() || !found->is_number_integer()) return otherwise;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > kMax) return otherwise;
  return found->get<std::int64_t>();
}

// The same for a number that must fit an int.
inline int IntIn(const Json& object, const char* name, int otherwise) {
  const std::int64_t number = IntegerIn(object, name, otherwise);
  const bool fits = number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
  return fits ? static_cast<int>(number) : otherwise;
}

inline bool BoolIn(const Json& object, const char* name, bool otherwise = false) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

// The same for a list or an object; otherwise an empty one. Valid as long as `object` is.
inline const Json& ObjectIn(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

inline const Json& ListIn(const Json& object, const char* name) {
  static const Json kEmpty = Json::array();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_array() ? *found : kEmpty;
}

}  // namespace cosmos::sdk

#endif  // COSMOS_PARSE_JSON_HPP_
