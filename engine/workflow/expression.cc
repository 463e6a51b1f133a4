#include "workflow/expression.h"

#include <algorithm>

#include "workflow/evaluator.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;

// A copy of `tree` with every text that may hold expressions replaced by what `replace` makes of it.
template <typename Replace>
json Replaced(const json& tree, const Replace& replace) {
  if (tree.is_string()) {
    const std::string& text = tree.get_ref<const std::string&>();
    return TextTemplate::MayHaveExpressions(text) ? replace(TextTemplate::Parse(text)) : tree;
  }
  if (!tree.is_structured()) return tree;
  json copy = tree;
  for (json& element : copy) element = Replaced(element, replace);
  return copy;
}

}  // namespace

json Resolve(const json& tree, const Scope& scope) {
  return Replaced(tree, [&](const TextTemplate& text) { return text.Value(scope); });
}

json ResolveKnown(const json& tree, const Scope& scope) {
  return Replaced(tree, [&](const TextTemplate& text) { return text.Simplified(scope); });
}

bool EvaluateCondition(std::string_view when, const Scope& scope) {
  return IsTrue(Evaluate(ParseExpression(when), scope));
}

bool HasExpressions(const json& tree) {
  if (tree.is_string()) {
    const std::string& text = tree.get_ref<const std::string&>();
    return TextTemplate::MayHaveExpressions(text) && TextTemplate::Parse(text).has_expressions();
  }
  return tree.is_structured() && std::any_of(tree.begin(), tree.end(), HasExpressions);
}

bool MayHoldExpressions(const json& tree) {
  try {
    return HasExpressions(tree);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace cosmos
