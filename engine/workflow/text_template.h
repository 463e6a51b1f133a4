#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/expression_tree.h"
#include "workflow/scope.h"

namespace cosmos {

// A text with expressions in it. `${{ EXPRESSION }}` is replaced by its value; `$${{` stands for `${{`, `$$${{` for
// `$${{`, and so on. A value.
class TextTemplate {
 public:
  // A piece of plain text, or an expression. Offsets within the expression count from the start of the whole text.
  struct Part {
    std::string text;
    std::optional<Expression> expression;
  };

  // Throws ExpressionError, with an offset into `text`.
  static TextTemplate Parse(std::string_view text);
  // The same, but for expressions that are wrong: each is given to `on_error` and stands for nothing.
  static TextTemplate Parse(std::string_view text, const std::function<void(const ExpressionError&)>& on_error);
  // Whether `text` holds `${{` at all; cheap.
  static bool MayHaveExpressions(std::string_view text) { return text.find("${{") != text.npos; }
  // The template that stands for exactly `text`.
  static std::string Escape(std::string_view text);

  const std::vector<Part>& parts() const { return parts_; }
  bool has_expressions() const;

  // The expression that has this template's value.
  Expression AsExpression() const;
  // The value: of any type when the text is exactly one expression, else a text. Throws ExpressionError.
  nlohmann::json Value(const Scope& scope) const;
  // The same with only what is known without a run; the result is a template again (texts in it are escaped).
  nlohmann::json Simplified(const Scope& scope) const;

 private:
  bool is_one_expression() const { return parts_.size() == 1 && parts_[0].expression.has_value(); }

  std::vector<Part> parts_;
};

// A copy of `tree` in which every text is escaped.
nlohmann::json EscapeTree(const nlohmann::json& tree);

}  // namespace cosmos
