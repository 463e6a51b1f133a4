#include "workflow/evaluator.h"

#include <algorithm>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/functions.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Kind = Expression::Kind;

std::string Kindly(const json& value) {
  if (value.is_string()) return "a text";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "a boolean";
  if (value.is_array()) return "a list";
  return value.is_null() ? "null" : "an object";
}

json Follow(const Expression& expression, const Scope& scope) {
  std::optional<json> value = scope.Find(expression.path);
  if (value) return *std::move(value);
  if (const Expression* const meant = scope.Deferred(expression.path)) {
    throw ExpressionError(expression.offset,
                          "'" + NameOfPath(expression.path) + "' is '" + ToSource(*meant) +
                              "', which is known only during the run; that is too late here",
                          "give it a value that is known before the run");
  }
  throw MissingReference(expression.offset, "there is no '" + NameOfPath(expression.path) + "'",
                         "default(" + NameOfPath(expression.path) + ", …) would give a value instead");
}

json Charged(json value, const Scope& scope) {
  scope.Charge(value);
  return value;
}

json Element(const Expression& expression, const Scope& scope) {
  const json base = Evaluate(expression.operands[0], scope);
  const json index = Evaluate(expression.operands[1], scope);
  if (base.is_object() && index.is_string()) {
    const auto found = base.find(index.get<std::string>());
    if (found != base.end()) return Charged(*found, scope);
    throw MissingReference(expression.offset, "there is no '" + index.get<std::string>() + "' in the object");
  }
  if (base.is_array() && index.is_number_integer()) {
    if (index >= 0 && index < base.size()) return Charged(base[index.get<size_t>()], scope);
    throw MissingReference(expression.offset, "there is no element " + index.dump() + " in a list of " +
                                                  std::to_string(base.size()) + " (the first is 0)");
  }
  if (base.is_null()) throw MissingReference(expression.offset, "there is nothing to look into: the value is null");
  throw ExpressionError(expression.offset, "cannot look up " + Kindly(index) + " in " + Kindly(base),
                        "lists take [NUMBER], objects .NAME or ['NAME']");
}

json Compare(const Expression& expression, const json& left, const json& right) {
  const std::string& op = expression.name;
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  const bool comparable = (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
  if (!comparable) {
    throw ExpressionError(expression.offset,
                          "cannot order " + Kindly(left) + " and " + Kindly(right) + " by '" + op + "'",
                          "give two numbers or two texts");
  }
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  return op == ">" ? left > right : left >= right;
}

json Call(const Expression& expression, const Scope& scope) {
  const std::vector<Expression>& operands = expression.operands;
  if (expression.name == "default") {
    try {
      json value = Evaluate(operands[0], scope);
      if (!value.is_null()) return value;
    } catch (const MissingReference&) {
      // What default() is for.
    }
    return Evaluate(operands[1], scope);
  }
  std::vector<json> arguments;
  for (const Expression& operand : operands) arguments.push_back(Evaluate(operand, scope));
  return Charged(Functions().at(expression.name).call(arguments, expression.offset), scope);
}

Expression LiteralOf(json value, size_t offset) {
  Expression expression;
  expression.offset = offset;
  expression.literal = std::move(value);
  return expression;
}

void Visit(const Expression& expression, bool guarded, const std::function<void(const Expression&, bool)>& visit) {
  if (expression.kind == Kind::kReference) visit(expression, guarded);
  const bool is_default = expression.kind == Kind::kCall && expression.name == "default";
  for (size_t i = 0; i < expression.operands.size(); ++i) {
    Visit(expression.operands[i], guarded || (is_default && i == 0), visit);
  }
}

}  // namespace

json Evaluate(const Expression& expression, const Scope& scope) {
  switch (expression.kind) {
    case Kind::kLiteral:
      return expression.literal;
    case Kind::kReference:
      return Follow(expression, scope);
    case Kind::kIndex:
      return Element(expression, scope);
    case Kind::kNot:
      return !IsTrue(Evaluate(expression.operands[0], scope));
    case Kind::kBinary: {
      const json left = Evaluate(expression.operands[0], scope);
      if (expression.name == "||" && IsTrue(left)) return left;
      if (expression.name == "&&" && !IsTrue(left)) return left;
      const json right = Evaluate(expression.operands[1], scope);
      return expression.name == "||" || expression.name == "&&" ? right : Compare(expression, left, right);
    }
    case Kind::kCall:
      return Call(expression, scope);
  }
  throw Error(ErrorCode::kInternal, "an expression has an unknown kind");
}

bool IsTrue(const json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value != 0;
  return !value.is_string() || !value.get_ref<const std::string&>().empty();
}

std::string TextOf(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

bool IsDeferred(const std::vector<std::string>& path) {
  return path[0] == "stages" || path[0] == "run" || path[0] == "secrets";
}

bool HasDeferred(const Expression& expression, const Scope& scope) {
  bool found = false;
  ForEachReference(expression, [&](const Expression& reference, bool) {
    found = found || IsDeferred(reference.path) || scope.Deferred(reference.path) != nullptr;
  });
  return found;
}

Expression Simplify(const Expression& expression, const Scope& scope) {
  if (!HasDeferred(expression, scope)) return LiteralOf(Evaluate(expression, scope), expression.offset);
  if (expression.kind == Kind::kReference) {
    const Expression* const meant = scope.Deferred(expression.path);
    return meant == nullptr ? expression : *meant;
  }
  Expression simple = expression;
  if (expression.kind == Kind::kCall && expression.name == "default" && !HasDeferred(expression.operands[0], scope)) {
    try {
      const json value = Evaluate(expression.operands[0], scope);
      if (!value.is_null()) return LiteralOf(value, expression.offset);
    } catch (const MissingReference&) {
      // The other one it is.
    }
    return Simplify(expression.operands[1], scope);
  }
  for (Expression& operand : simple.operands) operand = Simplify(operand, scope);
  return simple;
}

void ForEachReference(const Expression& expression,
                      const std::function<void(const Expression& reference, bool guarded)>& visit) {
  Visit(expression, false, visit);
}

bool Calls(const Expression& expression, const std::string& function) {
  if (expression.kind == Kind::kCall && expression.name == function) return true;
  return std::any_of(expression.operands.begin(), expression.operands.end(),
                     [&](const Expression& operand) { return Calls(operand, function); });
}

}  // namespace cosmos
