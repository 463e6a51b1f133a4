#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "workflow/scope.h"

// The door to expressions for who carries out a plan. Pure functions; all throw Error{kInvalidInput}.
namespace cosmos {

// `tree` with every text in it replaced by its value: a text that is exactly one `${{ }}` by a value of any type,
// others by a text. Keys of objects stay. To be applied to a plan's templates exactly once: what comes from data is
// escaped in them, so no text of a user can become an expression.
nlohmann::json Resolve(const nlohmann::json& tree, const Scope& scope);

// Whether StageInstance::when holds. REQUIRES: `when` is not empty.
bool EvaluateCondition(std::string_view when, const Scope& scope);

// `tree` with what params.*, matrix.* and env.* give; what needs the run stays an expression, and texts are escaped:
// the result is to be given to Resolve.
nlohmann::json ResolveKnown(const nlohmann::json& tree, const Scope& scope);

// Whether a text somewhere in `tree` holds an expression.
bool HasExpressions(const nlohmann::json& tree);
// The same, where a wrong expression counts as one; it is told where expressions are checked. Does not throw.
bool MayHoldExpressions(const nlohmann::json& tree);

}  // namespace cosmos
