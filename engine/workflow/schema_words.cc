#include "workflow/schema_words.h"

#include <algorithm>
#include <map>

#include "core/json_values.h"
#include "core/text.h"

namespace cosmos {

using nlohmann::json;

bool IsOfType(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

std::string ExpectedTypes(const std::vector<std::string>& types) {
  static const std::map<std::string, std::string> kNames = {
      {"string", "a text"}, {"integer", "an integer"}, {"number", "a number"}, {"boolean", "true or false"},
      {"array", "a list"},  {"object", "an object"},   {"null", "nothing"}};
  std::vector<std::string> names;
  for (const std::string& type : types) {
    const auto name = kNames.find(type);
    const std::string words = name == kNames.end() ? type : name->second;
    if (std::find(names.begin(), names.end(), words) == names.end()) names.push_back(words);
  }
  return Join(names, " or ");
}

std::string Found(const json& value) {
  constexpr size_t kLongest = 60;
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    const std::string start = TruncateUtf8(text, kLongest);
    return "the text '" + start + (start.size() < text.size() ? "…" : "") + "'";
  }
  if (value.is_number_integer()) return "the integer " + value.dump();
  if (value.is_number()) return "the number " + value.dump();
  if (value.is_boolean()) return value.dump();
  if (value.is_null()) return "nothing";
  return value.is_array() ? "a list" : "an object";
}

std::string TypeHint(const std::vector<std::string>& expected, const json& value) {
  const auto expects = [&](const char* type) {
    return std::find(expected.begin(), expected.end(), type) != expected.end();
  };
  const bool expects_number = expects("integer") || expects("number");
  if (value.is_string() && expects_number) {
    const std::string& text = value.get_ref<const std::string&>();
    if (TryParseJson(text).is_number()) return "remove the quotes";
    const std::string without_zeros = text.substr(std::min(text.find_first_not_of('0'), text.size()));
    if (TryParseJson(without_zeros).is_number()) return "write it without zeros in front: " + without_zeros;
  }
  if (expects("boolean")) return "write true or false, without quotes";
  if ((value.is_number() || value.is_boolean()) && expects("string")) {
    return "write it in quotes: \"" + value.dump() + "\"";
  }
  if (!value.is_structured() && !value.is_null() && expects("array")) {
    return "write it as a list: [" + PlainText(value) + "]";
  }
  if (expects_number) return expects("integer") ? "write an integer, such as 3" : "write a number, such as 0.5";
  if (expects("string")) return "write a text";
  if (expects("array")) return "write a list, such as [a, b]";
  return expects("object") ? "write an object, such as {key: value}" : "remove it";
}

}  // namespace cosmos
