#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workflow/expression_tree.h"
#include "workflow/scope.h"

// What expressions mean. Pure functions; all throw ExpressionError.
namespace cosmos {

// Of a text that expressions make, in bytes.
constexpr std::size_t kMaxText = std::size_t{16} << 20;

// A number equals a number of the same value; otherwise only equal types are equal. `<` and its like take two numbers
// or two texts. `&&` and `||` give one of their operands, as in GitHub Actions, and look at the second only when
// needed.
nlohmann::json Evaluate(const Expression& expression, const Scope& scope);

// Whether a condition with this value holds: all but null, false, 0 and "".
bool IsTrue(const nlohmann::json& value);

// A value as part of a text: texts as they are, null as nothing, everything else as JSON.
std::string TextOf(const nlohmann::json& value);

// Whether a reference can only be followed while the run is there: stages.*, run.* and secrets.*.
bool IsDeferred(const std::vector<std::string>& path);
// Whether the expression has a deferred reference, or one that stands for a deferred expression in `scope`.
bool HasDeferred(const Expression& expression, const Scope& scope);
// The expression with everything evaluated that has no deferred reference; a literal when nothing has. References that
// stand for a deferred expression are replaced by it.
Expression Simplify(const Expression& expression, const Scope& scope);

// Calls `visit` for every reference; `guarded`: default() stands in for it when it is missing.
void ForEachReference(const Expression& expression,
                      const std::function<void(const Expression& reference, bool guarded)>& visit);

// Whether the function is called anywhere in the expression.
bool Calls(const Expression& expression, const std::string& function);

}  // namespace cosmos
