#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cosmos {

// A function that expressions can call. `call` gets the values of the arguments, of which there are as many as allowed,
// and where the call stands in its text. Throws ExpressionError. Pure.
struct Function {
  size_t min_arguments = 1;
  size_t max_arguments = 1;
  // nullptr: the evaluator itself evaluates it, as not all of its arguments are to be evaluated.
  nlohmann::json (*call)(const std::vector<nlohmann::json>& arguments, size_t offset) = nullptr;
};

// All of them, by name.
const std::map<std::string, Function>& Functions();

}  // namespace cosmos
