#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "workflow/scope.h"

namespace cosmos {

// What is known before a run: params, one instance's matrix values, the environment. Does not own its parts.
class KnownScope final : public Scope {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  KnownScope(const nlohmann::json* params, const nlohmann::json* matrix, const Environment* environment)
      : params_(*params), matrix_(*matrix), environment_(*environment) {}

  std::optional<nlohmann::json> Find(const std::vector<std::string>& path) const override;

 private:
  const nlohmann::json& params_;
  const nlohmann::json& matrix_;
  const Environment& environment_;
};

}  // namespace cosmos
