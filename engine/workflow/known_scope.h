#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "workflow/expression_tree.h"
#include "workflow/scope.h"
#include "workflow/work_budget.h"

namespace cosmos {

// What the expressions of one workflow may refer to before a run. A value.
struct KnownValues {
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  nlohmann::json params = nlohmann::json::object();
  nlohmann::json env = nlohmann::json::object();  // the workflow's own `env:`, texts; hides the environment's
  nlohmann::json workflow = nlohmann::json::object();
  // By root and name, such as {"params", "video"}: what stands for an expression that only the run can evaluate.
  std::map<std::vector<std::string>, Expression> deferred;
  Environment environment;
};

// What is known before a run, with one instance's matrix values. Does not own its parts. What is looked up or made is
// taken off the budget, unless that is null.
class KnownScope final : public Scope {
 public:
  KnownScope(const KnownValues* values, const nlohmann::json* matrix, WorkBudget* budget = nullptr)
      : values_(*values), matrix_(*matrix), budget_(budget) {}

  std::optional<nlohmann::json> Find(const std::vector<std::string>& path) const override;
  const Expression* Deferred(const std::vector<std::string>& path) const override;
  void Charge(const nlohmann::json& value) const override;

 private:
  const KnownValues& values_;
  const nlohmann::json& matrix_;
  WorkBudget* budget_;
};

}  // namespace cosmos
