// SPDX-License-Identifier: BSL-1.0
//
// How a stage says that it did not succeed. Anything else that is thrown counts as the plugin's own error.
#ifndef COSMOS_FAILURE_HPP_
#define COSMOS_FAILURE_HPP_

#include <cosmos/text.hpp>

#include <exception>
#include <string>
#include <utility>

namespace cosmos::sdk {

// The work was tried and failed, or its input cannot be worked with.
class StageFailure : public std::exception {
 public:
  // `kind` is a failure kind of the engine, such as "invalid_input" or "output_missing"; `message` a sentence that a
  // person can act on: what was found, what was expected, what to do.
  StageFailure(const std::string& kind, const std::string& message)
      : StageFailure(Json{{"kind", kind}, {"message", message}}) {}

  // A failure as a service of the host gave it: an object with "kind", "message" and perhaps more, which is kept.
  explicit StageFailure(Json failure) : failure_(std::move(failure)) {
    if (!failure_.is_object()) failure_ = Json{{"message", Dump(failure_)}};
    if (!failure_.contains("kind")) failure_["kind"] = "plugin_error";
    kind_ = Text("kind");
    message_ = Text("message");
  }

  const std::string& kind() const noexcept { return kind_; }
  const std::string& message() const noexcept { return message_; }
  const Json& failure() const noexcept { return failure_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string Text(const char* key) const {
    const auto found = failure_.find(key);
    return found != failure_.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

  Json failure_;
  std::string kind_;
  std::string message_;
};

// The stage was cancelled or timed out, and its work was given up for that.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_FAILURE_HPP_
