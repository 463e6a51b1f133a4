#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace cosmos {

// A parsed expression: what stands inside `${{ }}`. A value.
//
//   or:      and (`||` and)*          and:  compare (`&&` compare)*
//   compare: unary ((`==` | `!=` | `<` | `>` | `<=` | `>=`) unary)?
//   unary:   `!` unary | postfix      postfix: primary (`.` NAME | `[` or `]`)*
//   primary: 'text' | "text" | number | true | false | null | reference | FUNCTION `(` or, … `)` | `(` or `)`
//
// 'text' writes a quote as '', "text" has JSON's escapes. References are params.NAME, matrix.NAME, env.NAME,
// secrets.NAME, run.FIELD, workflow.dir, stages.NAME.status, stages.NAME.outputs[.NAME] and stages.NAME.instances;
// names may hold '-', and any character as ["NAME"]. FUNCTION is one of Functions() (functions.h); failed() takes
// stages.NAME.
struct Expression {
  enum class Kind { kLiteral, kReference, kIndex, kNot, kBinary, kCall };

  Kind kind = Kind::kLiteral;
  size_t offset = 0;              // of its first character, in the text that was parsed
  nlohmann::json literal;         // kLiteral
  std::vector<std::string> path;  // kReference, see Scope::Find
  std::string name;               // kBinary: the operator; kCall: the function
  std::vector<Expression> operands;
};

// An expression that is wrong, or that cannot be evaluated. `offset` points into the text that was given to the parser.
class ExpressionError : public Error {
 public:
  ExpressionError(size_t offset, const std::string& message, std::string hint = "")
      : Error(ErrorCode::kInvalidInput, message, std::move(hint)), offset_(offset) {}
  size_t offset() const { return offset_; }

 private:
  size_t offset_;
};

// A reference to what is not there; default() catches it.
class MissingReference : public ExpressionError {
 public:
  using ExpressionError::ExpressionError;
};

// Throws ExpressionError.
Expression ParseExpression(std::string_view text);
// The expression as text that parses to the same again.
std::string ToSource(const Expression& expression);
// `params.seed`, for messages.
std::string NameOfPath(const std::vector<std::string>& path);

}  // namespace cosmos
