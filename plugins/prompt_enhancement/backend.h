#pragma once

#include <cosmos/failure.hpp>
#include <cosmos/text.hpp>
#include <string>

namespace cosmos::plugins {

// What a back end made of a prompt.
struct Enhanced {
  std::string prompt;
  sdk::Json record = sdk::Json::object();  // what else the record tells, such as the model
};

// A back end was asked and could not do it. A stage with `fallback: original` goes on then, which it does not for any
// other StageFailure.
// "record" of failure(), when there is one, is what the record tells of it.
class BackendFailure : public sdk::StageFailure {
 public:
  using StageFailure::StageFailure;
};

}  // namespace cosmos::plugins
