#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "workflow/scope.h"
#include "workflow/work_budget.h"

namespace cosmos {

// What is known before a run: params, one instance's matrix values, the environment. Does not own its parts. What is
// looked up or made is taken off the budget, unless that is null.
class KnownScope final : public Scope {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  KnownScope(const nlohmann::json* params, const nlohmann::json* matrix, const Environment* environment,
             WorkBudget* budget = nullptr)
      : params_(*params), matrix_(*matrix), environment_(*environment), budget_(budget) {}

  std::optional<nlohmann::json> Find(const std::vector<std::string>& path) const override;
  void Charge(const nlohmann::json& value) const override;

 private:
  const nlohmann::json& params_;
  const nlohmann::json& matrix_;
  const Environment& environment_;
  WorkBudget* budget_;
};

}  // namespace cosmos
