#include "workflow/yaml_document.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/yaml_builder.h"

namespace cosmos {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What yaml-cpp says, in words that help the writer of a workflow.
void AddSyntaxError(const YAML::Exception& error, const std::string& line, Place place, FindingList* findings) {
  const std::string indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (indentation.find('\t') != indentation.npos) {
    findings->Add({place.line, static_cast<int>(indentation.find('\t')) + 1}, "found a tab in the indentation",
                  "YAML indents with spaces only");
    return;
  }
  // JSON writes a character beyond U+FFFF as two halves, as in "\\ud83c\\udfac"; yaml-cpp names only the number.
  if (error.msg.find("invalid unicode") != std::string::npos) {
    findings->Add(place, "this is not YAML: found an escape such as \\ud83c, which is half of a character in JSON",
                  "write the character itself, or its whole number with eight digits, as in \"\\U0001F3AC\"");
    return;
  }
  std::string hint;
  const size_t expression = line.find("${{");
  if (expression != line.npos && line.find_first_of("{[") < expression) {
    hint = "inside { } or [ ] an expression must stand in quotes: \"${{ … }}\"";
  } else if (line.find(": ") != line.rfind(": ")) {
    hint = "a text that holds ': ' must stand in quotes";
  } else {
    hint = "look at the indentation, the brackets and the quotes here and in the line before";
  }
  findings->Add(place, "this is not YAML: " + error.msg, hint);
}

}  // namespace

const YamlNode* YamlNode::Member(std::string_view name) const {
  for (const auto& [key, node] : members) {
    if (key == name) return &node;
  }
  return nullptr;
}

const YamlNode* YamlNode::Nearest(const std::vector<std::string>& path) const {
  const YamlNode* at = this;
  for (const std::string& step : path) {
    const YamlNode* below = at->Member(step);
    if (below == nullptr && !at->items.empty() && step.find_first_not_of("0123456789") == step.npos) {
      const size_t index = std::stoul(step);
      if (index < at->items.size()) below = &at->items[index];
    }
    if (below == nullptr) return at;
    at = below;
  }
  return at;
}

YamlDocument YamlDocument::Parse(std::string text, std::string file) {
  YamlDocument document(std::move(file));
  if (text.size() > kForeignJson.bytes) {
    document.findings_.Add({1, 1}, "the file is larger than " + std::to_string(kForeignJson.bytes >> 20) + " MiB",
                           "split it into several");
    text.clear();
  }
  document.text_ = std::move(text);
  document.line_starts_.push_back(0);
  for (size_t i = 0; i < document.text_.size(); ++i) {
    if (document.text_[i] == '\n') document.line_starts_.push_back(i + 1);
  }
  FindingList* findings = &document.findings_;
  const std::string valid = TruncateUtf8(document.text_, document.text_.size());
  if (valid != document.text_) {
    const auto wrong = std::mismatch(valid.begin(), valid.end(), document.text_.begin(), document.text_.end()).second;
    findings->Add(document.PlaceOf(static_cast<size_t>(wrong - document.text_.begin())),
                  "found a byte that is not UTF-8", "save the file as UTF-8");
    return document;
  }
  if (const size_t nul = document.text_.find('\0'); nul != std::string::npos) {
    findings->Add(document.PlaceOf(nul), "found a NUL byte, so this is no text", "check that it is the right file");
    return document;
  }
  try {
    std::istringstream stream(document.text_);
    YAML::Parser parser(stream);
    YamlBuilder builder(findings);
    if (!parser.HandleNextDocument(builder)) return document;  // nothing but comments, which may be enough
    document.value_ = builder.TakeValue();
    document.root_ = builder.TakeNode();
    document.CheckQuoteIsClosed(builder.last_scalar());
    YamlBuilder second(findings);
    if (parser.HandleNextDocument(second)) {
      findings->Add(second.TakeNode().value, "found a second YAML document, expected one",
                    "remove the `---` before it");
    }
  } catch (const YamlLimit& limit) {
    findings->Add(limit.place, limit.message, limit.hint);
    document.value_ = nullptr;
    document.root_ = YamlNode{};
  } catch (const YAML::Exception& error) {
    const int line = std::clamp(error.mark.line + 1, 1, static_cast<int>(document.line_starts_.size()));
    const size_t start = document.line_starts_[static_cast<size_t>(line) - 1];
    const std::string source = document.text_.substr(start, document.text_.find('\n', start) - start);
    const Place place = {line, std::max(error.mark.column, 0) + 1};
    if (const auto quote = document.LateQuoteBefore(document.OffsetOf(place))) {
      findings->Add(document.PlaceOf(*quote),
                    "this is not YAML: the quote that opens here is closed only in line " + std::to_string(line),
                    "close it where the text ends");
    } else {
      AddSyntaxError(error, source, place, findings);
    }
    document.value_ = nullptr;
    document.root_ = YamlNode{};
  }
  return document;
}

// yaml-cpp takes a text whose quote is never closed for one that ends with the file.
void YamlDocument::CheckQuoteIsClosed(Place scalar) {
  const size_t start = OffsetOf(scalar);
  const char quote = start < text_.size() ? text_[start] : ' ';
  if (quote != '"' && quote != '\'') return;
  for (size_t i = start + 1; i < text_.size(); ++i) {
    if (text_[i] == '\\' && quote == '"') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || text_.compare(i, 2, "''") != 0) return;
      ++i;
    }
  }
  findings_.Add(scalar, "this is not YAML: the quote that opens here is never closed", "close it");
  value_ = nullptr;  // whatever follows the quote is not what it seems
  root_ = YamlNode{};
}

// Where a quote opens that is closed in a later line, directly before `offset`: it was probably to be closed in its own
// line, and what closes it was to open the next text.
std::optional<size_t> YamlDocument::LateQuoteBefore(size_t offset) const {
  size_t open = 0;
  char quote = 0;
  for (size_t i = 0; i < std::min(offset, text_.size()); ++i) {
    const char c = text_[i];
    if (quote == '"' && c == '\\') {
      ++i;
    } else if (quote == '\'' && c == quote && text_.compare(i, 2, "''") == 0) {
      ++i;
    } else if (c == quote) {
      quote = 0;
      const bool is_last = text_.find_first_of("'\"\n", i + 1) >= offset;
      if (is_last && text_.substr(open, i - open).find('\n') != std::string::npos) return open;
    } else if (quote == 0 && (c == '"' || c == '\'') &&
               (i == 0 || std::strchr(" \t\n:[{,-", text_[i - 1]) != nullptr)) {
      quote = c;
      open = i;
    } else if (quote == 0 && c == '#' && (i == 0 || IsBlank(text_[i - 1]))) {
      i = std::min(text_.find('\n', i), text_.size());
    }
  }
  return std::nullopt;
}

size_t YamlDocument::OffsetOf(Place place) const {
  const size_t line = static_cast<size_t>(std::max(place.line, 1)) - 1;
  if (line >= line_starts_.size()) return text_.size();
  return std::min(text_.size(), line_starts_[line] + static_cast<size_t>(std::max(place.column, 1)) - 1);
}

Place YamlDocument::PlaceOf(size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<size_t>(after - line_starts_.begin());
  return {static_cast<int>(line), static_cast<int>(offset - line_starts_[line - 1]) + 1};
}

Place YamlDocument::PlaceInside(const YamlNode& node, std::string_view text_value, size_t offset) const {
  size_t at = OffsetOf(node.value);
  const size_t start = at;
  char quote = 0;
  if (at < text_.size() && (text_[at] == '|' || text_[at] == '>')) {
    at = std::min(text_.find('\n', at), text_.size());
  } else if (at < text_.size() && (text_[at] == '"' || text_[at] == '\'')) {
    quote = text_[at++];
  }
  // Both are walked side by side; runs of blanks may differ in length, as lines are folded and indented.
  size_t i = 0;
  while (at < text_.size() && IsBlank(text_[at]) && !(i < text_value.size() && IsBlank(text_value[i]))) ++at;
  while (i < offset && i < text_value.size() && at < text_.size()) {
    if (IsBlank(text_value[i])) {
      if (quote == '"' && text_[at] == '\\') at += 2;
      while (at < text_.size() && IsBlank(text_[at])) ++at;
      while (i < offset && i < text_value.size() && IsBlank(text_value[i])) ++i;
      continue;
    }
    const bool escaped = (quote == '"' && text_[at] == '\\') || (quote == '\'' && text_.compare(at, 2, "''") == 0);
    if (escaped) ++at;
    if (text_[at] != text_value[i]) return PlaceOf(start);  // an escape by number, or an alias: the value's own place
    ++at;
    ++i;
  }
  return PlaceOf(std::min(at, text_.size()));
}

}  // namespace cosmos
