#pragma once

#include <string>
#include <vector>

namespace cosmos {

// Which environment variables a workflow may read by `env.NAME`. A workflow may be another's, and what it reads may
// reach its targets even if it is only checked: so it declares its variables (`uses_env:`), where people see them, and
// secrets go through `secrets:`, which no check reads. A value.
class EnvironmentRules {
 public:
  // All variables are allowed: of the user's own configuration, and of a run that goes on.
  EnvironmentRules() = default;
  explicit EnvironmentRules(std::vector<std::string> declared) : declares_(true), declared_(std::move(declared)) {}

  struct Problem {
    std::string message;  // empty: none
    std::string hint;
  };
  Problem Check(const std::string& variable) const;

 private:
  bool declares_ = false;
  std::vector<std::string> declared_;
};

// Whether a variable of this name probably holds a secret: a word of it is KEY, TOKEN, SECRET, PASSWORD or their like.
bool SoundsSecret(const std::string& variable);

}  // namespace cosmos
