#include <algorithm>
#include <charconv>
#include <map>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/expression_tree.h"
#include "workflow/functions.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Kind = Expression::Kind;

constexpr int kDeepest = 200;
constexpr int kMaxParts = 250;  // operators, values and names; evaluating visits each for each above it
constexpr std::string_view kNameStart = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-";
const std::vector<std::string> kRoots = {"params", "matrix", "stages", "env", "secrets", "run", "workflow"};
// What other languages call our roots and operators.
const std::map<std::string, std::string> kInstead = {
    {"github", "write run.id or run.workflow, and env.NAME for the environment"},
    {"inputs", "write params.NAME"},
    {"vars", "write params.NAME"},
    {"needs", "write stages.NAME.outputs.NAME"},
    {"steps", "write stages.NAME.outputs.NAME"},
    {"jobs", "write stages.NAME.outputs.NAME"},
    {"strategy", "write matrix.NAME"},
    {"job", "write stages.NAME.status"},
    {"runner", "write env.NAME"},
    {"and", "write '&&'"},
    {"or", "write '||'"},
    {"not", "write '!'"}};
// And our functions.
const std::map<std::string, std::string> kFunctionsInstead = {
    {"fromJSON", "write json(TEXT)"},
    {"fromJson", "write json(TEXT)"},
    {"toJSON", "a value in a text is JSON by itself"},
    {"startsWith", "write starts_with(TEXT, START)"},
    {"endsWith", "write ends_with(TEXT, END)"},
    {"failure", "write failed(stages.NAME)"},
    {"always", "put the stage below `on_exit:`"},
    {"success", "leave it out: a stage runs when what it needs has succeeded"},
    {"cancelled", "put the stage below `on_exit:` and compare run.status"},
    {"len", "write length(VALUE)"},
    {"size", "write length(VALUE)"}};
const std::vector<std::string> kWorkflowFields = {"dir"};
const std::vector<std::string> kRunFields = {"id", "status", "error", "output_dir", "workflow", "params"};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression Parse() {
    SkipBlanks();
    if (at_ == text_.size()) throw ExpressionError(at_, "the expression is empty");
    Expression expression = ParseOr();
    if (at_ < text_.size()) Unexpected("the end of the expression");
    return expression;
  }

 private:
  // Counts how deep the recursion is.
  struct Depth {
    explicit Depth(Parser* parser) : parser(parser) {
      if (++parser->depth_ > kDeepest) throw ExpressionError(parser->at_, "the expression is nested too deeply");
    }
    ~Depth() { --parser->depth_; }
    Parser* parser;
  };

  // For each node of the tree, so that its height is bounded as well.
  void Count() {
    if (++parts_ <= kMaxParts) return;
    throw ExpressionError(at_, "the expression has more than " + std::to_string(kMaxParts) + " parts",
                          "split it into several");
  }

  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    SkipBlanks();
    return true;
  }
  void Expect(std::string_view token) {
    if (!Take(token)) Unexpected("'" + std::string(token) + "'");
  }

  std::string WordHere() const {
    const size_t end = std::min(text_.find_first_not_of(kNameCharacters, at_), text_.size());
    return std::string(text_.substr(at_, end - at_));
  }

  [[noreturn]] void Unexpected(const std::string& expected) const {
    if (at_ == text_.size()) throw ExpressionError(at_, "the expression ends too early, expected " + expected);
    const std::string found(text_.substr(at_, 1));
    std::string hint;
    if (const auto word = kInstead.find(WordHere()); word != kInstead.end()) {
      throw ExpressionError(at_, "found '" + word->first + "' in the expression, expected " + expected, word->second);
    }
    if (found == "=") hint = "compare with '=='";
    if (found == "&") hint = "write '&&'";
    if (found == "|") hint = "write '||'";
    if (std::string_view("+-*/%").find(found) != std::string_view::npos) hint = "expressions do not calculate";
    throw ExpressionError(at_, "found '" + found + "' in the expression, expected " + expected, hint);
  }

  Expression Binary(const std::string& op, size_t offset, Expression left, Expression right) {
    Count();
    Expression expression;
    expression.kind = Kind::kBinary;
    expression.offset = offset;
    expression.name = op;
    expression.operands = {std::move(left), std::move(right)};
    return expression;
  }

  Expression ParseOr() {
    const Depth depth(this);
    const size_t offset = at_;
    Expression left = ParseAnd();
    while (Take("||")) left = Binary("||", offset, std::move(left), ParseAnd());
    return left;
  }

  Expression ParseAnd() {
    const size_t offset = at_;
    Expression left = ParseComparison();
    while (Take("&&")) left = Binary("&&", offset, std::move(left), ParseComparison());
    return left;
  }

  Expression ParseComparison() {
    const size_t offset = at_;
    Expression left = ParseUnary();
    for (const char* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (Take(op)) return Binary(op, offset, std::move(left), ParseUnary());
    }
    return left;
  }

  Expression ParseUnary() {
    const Depth depth(this);
    const size_t offset = at_;
    if (text_.substr(at_, 2) == "!=" || !Take("!")) return ParsePostfix();
    Expression expression;
    expression.kind = Kind::kNot;
    expression.offset = offset;
    expression.operands = {ParseUnary()};
    return expression;
  }

  Expression ParsePostfix() {
    Expression expression = ParsePrimary();
    while (true) {
      Expression index;
      index.offset = at_;
      if (Take(".")) {
        index.literal = TakeName("a name after '.'");
      } else if (Take("[")) {
        index = ParseOr();
        Expect("]");
      } else {
        break;
      }
      Count();
      expression = Indexed(std::move(expression), std::move(index));
    }
    CheckReference(expression);
    return expression;
  }

  // A reference takes up as many names as its kind has; what follows is looked up in its value.
  Expression Indexed(Expression base, Expression index) {
    const bool is_name = index.kind == Kind::kLiteral && index.literal.is_string();
    if (base.kind == Kind::kReference && is_name) {
      const bool outputs = base.path.size() == 3 && base.path[0] == "stages" && base.path[2] == "outputs";
      const size_t most = base.path[0] == "stages" ? (outputs ? 4u : 3u) : 2u;
      if (base.path.size() < most) {
        base.path.push_back(index.literal.get<std::string>());
        return base;
      }
    }
    CheckReference(base);
    Expression expression;
    expression.kind = Kind::kIndex;
    expression.offset = base.offset;
    expression.operands = {std::move(base), std::move(index)};
    return expression;
  }

  void CheckReference(const Expression& expression) const {
    if (expression.kind != Kind::kReference) return;
    const std::vector<std::string>& path = expression.path;
    const std::string name = NameOfPath(path);
    if (path[0] == "stages") {
      if (path.size() < 3) {
        throw ExpressionError(expression.offset,
                              "found '" + name + "', expected stages.NAME.outputs, .status or .instances");
      }
      const std::vector<std::string> parts = {"outputs", "status", "instances"};
      if (std::find(parts.begin(), parts.end(), path[2]) == parts.end()) {
        throw ExpressionError(expression.offset, "'" + name + "': a stage has no '" + path[2] + "'",
                              Suggestion(path[2], parts));
      }
    } else if (path.size() < 2) {
      throw ExpressionError(expression.offset, "found '" + name + "' alone, expected " + name + ".NAME");
    } else if (path[0] == "run" || path[0] == "workflow") {
      const std::vector<std::string>& fields = path[0] == "run" ? kRunFields : kWorkflowFields;
      if (std::find(fields.begin(), fields.end(), path[1]) != fields.end()) return;
      throw ExpressionError(expression.offset, "the " + path[0] + " has no '" + path[1] + "'",
                            Suggestion(path[1], fields));
    }
  }

  Expression ParsePrimary() {
    Count();
    const size_t offset = at_;
    if (Take("(")) {
      Expression inner = ParseOr();
      Expect(")");
      return inner;
    }
    Expression expression;
    expression.offset = offset;
    const char c = Peek();
    if (c == '\'' || c == '"') {
      expression.literal = TakeText(c);
    } else if ((c >= '0' && c <= '9') || c == '-' || c == '.') {
      expression.literal = TakeNumber();
    } else if (c != '\0' && kNameStart.find(c) != kNameStart.npos) {
      return ParseWord(offset);
    } else {
      Unexpected("a value");
    }
    return expression;
  }

  Expression ParseWord(size_t offset) {
    const std::string word = TakeName("a value");
    Expression expression;
    expression.offset = offset;
    if (word == "true" || word == "false") {
      expression.literal = word == "true";
    } else if (word == "null") {
      expression.literal = nullptr;
    } else if (Peek() == '(') {
      return ParseCall(word, offset);
    } else if (std::find(kRoots.begin(), kRoots.end(), word) != kRoots.end()) {
      expression.kind = Kind::kReference;
      expression.path = {word};
    } else {
      std::string hint = Suggestion(word, kRoots);
      const auto instead = kInstead.find(word);
      if (instead != kInstead.end()) {
        hint = instead->second;
      } else if (NearestOf(word, kRoots).empty()) {
        hint = "write a text in quotes, and a reference as params.NAME";
      }
      throw ExpressionError(offset, "unknown name '" + word + "' in the expression", hint);
    }
    return expression;
  }

  Expression ParseCall(const std::string& name, size_t offset) {
    const auto function = Functions().find(name);
    if (function == Functions().end()) {
      std::vector<std::string> names;
      for (const auto& [known, description] : Functions()) names.push_back(known);
      const auto instead = kFunctionsInstead.find(name);
      throw ExpressionError(offset, "unknown function '" + name + "'",
                            instead != kFunctionsInstead.end() ? instead->second : Suggestion(name, names));
    }
    Expression expression;
    expression.kind = Kind::kCall;
    expression.offset = offset;
    expression.name = name;
    Expect("(");
    if (name == "failed") {
      expression.operands.push_back(ParseStatus());
      Expect(")");
    } else if (!Take(")")) {
      do {
        expression.operands.push_back(ParseOr());
      } while (Take(","));
      Expect(")");
    }
    const size_t least = function->second.min_arguments, most = function->second.max_arguments;
    const size_t count = expression.operands.size();
    if (count < least || count > most) {
      std::string expected = std::to_string(least);
      if (most != least) expected += (most == least + 1 ? " or " : " to ") + std::to_string(most);
      throw ExpressionError(offset, name + "() has " + std::to_string(count) + " arguments, expected " + expected);
    }
    return expression;
  }

  // `stages.NAME`, which stands for its status.
  Expression ParseStatus() {
    Expression expression;
    expression.kind = Kind::kReference;
    expression.offset = at_;
    if (!Take("stages")) Unexpected("a stage, such as stages.render");
    if (Take("[")) {
      if (Peek() != '"' && Peek() != '\'') Unexpected("the name of a stage in quotes");
      expression.path = {"stages", TakeText(Peek()), "status"};
      Expect("]");
    } else {
      if (!Take(".")) Unexpected("a stage, such as stages.render");
      expression.path = {"stages", TakeName("the name of a stage"), "status"};
    }
    if (Take(".") && TakeName("status") != "status") Unexpected("')'");
    Count();
    return expression;
  }

  std::string TakeName(const std::string& expected) {
    if (Peek() == '\0' || kNameStart.find(Peek()) == kNameStart.npos) Unexpected(expected);
    const size_t end = std::min(text_.find_first_not_of(kNameCharacters, at_), text_.size());
    std::string name(text_.substr(at_, end - at_));
    at_ = end;
    SkipBlanks();
    return name;
  }

  json TakeText(char quote) {
    const size_t start = at_;
    size_t end = start + 1;
    std::string text;
    while (end < text_.size()) {
      if (text_[end] == quote && quote == '\'' && text_.substr(end, 2) == "''") {
        ++end;  // the second of the two stands for one quote
      } else if (text_[end] == quote) {
        break;
      } else if (text_[end] == '\\' && quote == '"' && end + 1 < text_.size()) {
        text += text_[end++];
      }
      text += text_[end++];
    }
    if (end >= text_.size()) throw ExpressionError(start, std::string("the text is not closed, expected ") + quote);
    at_ = end + 1;
    SkipBlanks();
    if (quote == '\'') return text;
    const json value = TryParseJson("\"" + WithEscapedControls(text) + "\"");
    if (value.is_discarded()) {
      throw ExpressionError(start, "found an unknown escape in a text", "double a backslash, or use '…' quotes");
    }
    return value;
  }

  // JSON refuses new lines and tabs as they are; here they may stand in a text.
  static std::string WithEscapedControls(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
      if (c == '\n') {
        escaped += "\\n";
      } else if (c == '\t') {
        escaped += "\\t";
      } else if (c == '\r') {
        escaped += "\\r";
      } else {
        escaped += c;
      }
    }
    return escaped;
  }

  json TakeNumber() {
    const size_t end = std::min(text_.find_first_not_of("0123456789.eE+-", at_), text_.size());
    const std::string_view token = text_.substr(at_, end - at_);
    const json value = TryParseJson(token);
    if (!value.is_number()) throw ExpressionError(at_, "'" + std::string(token) + "' is not a number");
    at_ = end;
    SkipBlanks();
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  int parts_ = 0;
};

// In brackets unless it is a whole of its own.
std::string OperandSource(const Expression& expression) {
  const std::string source = ToSource(expression);
  return expression.kind == Kind::kBinary ? "(" + source + ")" : source;
}

std::string StepSource(const std::string& name) {
  const bool bare = !name.empty() && kNameStart.find(name[0]) != kNameStart.npos &&
                    name.find_first_not_of(kNameCharacters) == name.npos;
  return bare ? "." + name : "[" + json(name).dump() + "]";
}

std::string LiteralSource(const json& literal) {
  if (literal.is_structured()) return "json(" + json(literal.dump()).dump() + ")";
  return literal.dump();
}

}  // namespace

Expression ParseExpression(std::string_view text) {
  // A literal becomes JSON.
  if (!IsUtf8(text)) throw ExpressionError(0, "the expression is not UTF-8 text", "write it in UTF-8");
  return Parser(text).Parse();
}

std::string NameOfPath(const std::vector<std::string>& path) { return Join(path, "."); }

std::string ToSource(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kLiteral:
      return LiteralSource(expression.literal);
    case Kind::kReference: {
      std::string source = expression.path[0];
      for (size_t i = 1; i < expression.path.size(); ++i) source += StepSource(expression.path[i]);
      return source;
    }
    case Kind::kIndex:
      return OperandSource(expression.operands[0]) + "[" + ToSource(expression.operands[1]) + "]";
    case Kind::kNot:
      return "!" + OperandSource(expression.operands[0]);
    case Kind::kBinary:
      return OperandSource(expression.operands[0]) + " " + expression.name + " " +
             OperandSource(expression.operands[1]);
    case Kind::kCall: {
      std::vector<std::string> arguments;
      for (const Expression& operand : expression.operands) arguments.push_back(ToSource(operand));
      return expression.name + "(" + Join(arguments, ", ") + ")";
    }
  }
  throw Error(ErrorCode::kInternal, "an expression has an unknown kind");
}

}  // namespace cosmos
