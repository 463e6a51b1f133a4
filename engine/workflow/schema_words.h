#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The words in which messages speak of JSON values and types. Pure functions.
namespace cosmos {

bool IsOfType(const nlohmann::json& value, const std::string& type);
// `an integer`, `a text or a list`.
std::string ExpectedTypes(const std::vector<std::string>& types);
// `the text 'abc'` (shortened when long), `the number 0.5`, `true`, `nothing`, `a list`, `an object`.
std::string Found(const nlohmann::json& value);
// How a value of the wrong type is mended.
std::string TypeHint(const std::vector<std::string>& expected, const nlohmann::json& value);

}  // namespace cosmos
