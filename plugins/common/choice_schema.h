#pragma once

#include <cosmos/text.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// One of the forms that a stage's parameters have, such as those of one model.
struct Choice {
  std::string name;
  std::string summary;   // one sentence
  sdk::Json parameters;  // the schema of an object, without the property that chooses
};

// The schema of parameters of which the property `chooser` says which form they have. Without a `fallback` it has to be
// given.
sdk::Json ChoiceSchema(const std::string& chooser, const std::string& fallback, const std::vector<Choice>& choices);

}  // namespace cosmos::plugins
