#include "workflow/text_template.h"

#include <algorithm>

#include "workflow/evaluator.h"

namespace cosmos {
namespace {

using nlohmann::json;

// Where the expression that starts at `start` ends: the position of its `}}`, outside of quoted texts.
size_t EndOfExpression(std::string_view text, size_t start) {
  char quote = 0;
  for (size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '"' && c == '\\') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (text.substr(i, 2) == "}}") {
      return i;
    }
  }
  return text.npos;
}

void Shift(Expression* expression, size_t by) {
  expression->offset += by;
  for (Expression& operand : expression->operands) Shift(&operand, by);
}

Expression ParsedAt(std::string_view text, size_t start, size_t end) {
  try {
    Expression expression = ParseExpression(text.substr(start, end - start));
    Shift(&expression, start);
    return expression;
  } catch (const ExpressionError& error) {
    throw ExpressionError(error.offset() + start, error.message(), error.hint());
  }
}

void CheckLength(const std::string& text) {
  if (text.size() > kMaxText) throw ExpressionError(0, "the expressions make a text of more than 16 MiB");
}

// The start of the run of '$' that stands directly before `{{` at `braces`.
size_t StartOfDollars(std::string_view text, size_t braces, size_t from) {
  size_t start = braces;
  while (start > from && text[start - 1] == '$') --start;
  return start;
}

}  // namespace

TextTemplate TextTemplate::Parse(std::string_view text) {
  return Parse(text, [](const ExpressionError& error) { throw error; });
}

TextTemplate TextTemplate::Parse(std::string_view text, const std::function<void(const ExpressionError&)>& on_error) {
  TextTemplate result;
  std::string plain;
  size_t at = 0;
  while (at < text.size()) {
    const size_t braces = text.find("{{", at);
    const size_t dollars = braces == text.npos ? text.npos : StartOfDollars(text, braces, at);
    if (braces == text.npos) {
      plain += text.substr(at);
      break;
    }
    plain += text.substr(at, dollars - at);
    if (braces - dollars != 1) {  // no expression; one '$' of several is only there to say so
      plain += text.substr(dollars + (braces > dollars ? 1 : 0), braces - dollars - (braces > dollars ? 1 : 0));
      plain += "{{";
      at = braces + 2;
      continue;
    }
    const size_t end = EndOfExpression(text, braces + 2);
    if (end == text.npos) {
      on_error(ExpressionError(dollars, "the expression is not closed, expected '}}'", "write $${{ for a plain ${{"));
      break;
    }
    if (!plain.empty()) result.parts_.push_back({std::move(plain), std::nullopt});
    plain.clear();
    try {
      result.parts_.push_back({"", ParsedAt(text, braces + 2, end)});
    } catch (const ExpressionError& error) {
      on_error(error);
    }
    at = end + 2;
  }
  if (!plain.empty() || result.parts_.empty()) result.parts_.push_back({std::move(plain), std::nullopt});
  return result;
}

std::string TextTemplate::Escape(std::string_view text) {
  if (!MayHaveExpressions(text)) return std::string(text);
  std::string escaped;
  size_t at = 0;
  while (at < text.size()) {
    const size_t braces = text.find("${{", at);
    if (braces == text.npos) break;
    escaped += text.substr(at, braces - at);
    escaped += "$${{";
    at = braces + 3;
  }
  return escaped + std::string(text.substr(std::min(at, text.size())));
}

bool TextTemplate::has_expressions() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.expression.has_value(); });
}

Expression TextTemplate::AsExpression() const {
  if (is_one_expression()) return *parts_[0].expression;
  Expression call;
  call.kind = Expression::Kind::kCall;
  call.name = "format";
  call.operands.emplace_back();
  std::string form;
  for (const Part& part : parts_) {
    if (part.expression) {
      form += "{" + std::to_string(call.operands.size() - 1) + "}";
      call.operands.push_back(*part.expression);
    } else {
      for (const char c : part.text) form += c == '{' || c == '}' ? std::string(2, c) : std::string(1, c);
    }
  }
  call.operands[0].literal = form;
  return call;
}

json TextTemplate::Value(const Scope& scope) const {
  if (is_one_expression()) return Evaluate(*parts_[0].expression, scope);
  std::string text;
  for (const Part& part : parts_) {
    text += part.expression ? TextOf(Evaluate(*part.expression, scope)) : part.text;
    CheckLength(text);
  }
  return text;
}

json TextTemplate::Simplified(const Scope& scope) const {
  std::string text;
  for (const Part& part : parts_) {
    if (!part.expression) {
      text += Escape(part.text);
      continue;
    }
    const Expression simple = Simplify(*part.expression, scope);
    const bool known = simple.kind == Expression::Kind::kLiteral;
    if (known && is_one_expression()) return EscapeTree(simple.literal);
    text += known ? Escape(TextOf(simple.literal)) : "${{ " + ToSource(simple) + " }}";
    CheckLength(text);
  }
  return text;
}

json EscapeTree(const json& tree) {
  if (tree.is_string()) return TextTemplate::Escape(tree.get_ref<const std::string&>());
  if (!tree.is_structured()) return tree;
  json copy = tree;
  for (json& element : copy) element = EscapeTree(element);
  return copy;
}

}  // namespace cosmos
