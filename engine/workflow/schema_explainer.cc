#include "workflow/schema_explainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "workflow/expression.h"
#include "workflow/schema_pattern.h"
#include "workflow/schema_walk.h"
#include "workflow/schema_words.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxProblems = 2000;  // more than are listed

using nlohmann::json;

size_t Characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The names in branches that ask for nothing but keys; empty when one asks for more.
std::vector<std::string> KeysOfChoice(const json& branches) {
  std::vector<std::string> keys;
  for (const json& branch : branches) {
    const bool only_keys = branch.is_object() && branch.size() == 1 && branch.contains("required");
    if (!only_keys || branch["required"].size() != 1) return {};
    keys.push_back(branch["required"][0].get<std::string>());
  }
  return keys;
}

// What to write instead of an unknown key. `x-instead` of the schema knows the words of other languages. A key that the
// object has already (or has by default) is only meant when it is spelled nearly so.
std::string HintForKey(const json& schema, const json& object, const std::string& name,
                       std::vector<std::string> candidates) {
  const json instead = schema.value("x-instead", json::object());
  if (instead.contains(name)) return instead[name].get<std::string>();
  if (NearestOf(name, candidates).empty()) {
    candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                    [&](const std::string& candidate) { return object.contains(candidate); }),
                     candidates.end());
  }
  return candidates.empty() ? "remove it" : Suggestion(name, candidates);
}

bool IsRegex(const std::string& text) {
  try {
    const std::regex compiled(text, std::regex::ECMAScript);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

}  // namespace

SchemaProblems SchemaExplainer::Explain(const json& value, Texts texts, const SchemaPath& prefix,
                                        const std::string& root_name) {
  root_name_ = root_name;
  texts_ = texts;
  Frame frame{prefix, true, {}};
  Visit(root_, value, &frame);
  return std::move(frame.problems);
}

void SchemaExplainer::Add(Frame* frame, const std::string& message, const std::string& hint) const {
  if (frame->problems.size() >= kMaxProblems) return;
  frame->problems.push_back({frame->path, false, Name(*frame) + ": " + message, hint});
}

const std::regex& SchemaExplainer::Regex(const std::string& pattern) {
  const auto known = regexes_.find(pattern);
  if (known != regexes_.end()) return known->second;
  return regexes_.emplace(pattern, std::regex(pattern, std::regex::ECMAScript)).first->second;
}

SchemaExplainer::Fit SchemaExplainer::FitOf(const json& schema, const json& value, const Frame& frame) {
  Frame quiet{frame.path, frame.expressions, {}};
  Visit(schema, value, &quiet);
  if (!quiet.problems.empty()) return Fit::kNo;
  return quiet.assumed ? Fit::kPerhaps : Fit::kYes;
}

bool SchemaExplainer::Fits(const json& schema, const json& value, const Frame& frame) {
  return FitOf(schema, value, frame) != Fit::kNo;
}

void SchemaExplainer::Visit(const json& raw_schema, const json& value, Frame* frame) {
  const json& schema = Dereferenced(root_, raw_schema);
  if (schema.is_boolean()) {
    if (!schema.get<bool>()) Add(frame, "found " + Found(value) + ", expected nothing here", "remove it");
    return;
  }
  if (!schema.is_object()) return;
  const bool outer = frame->expressions;
  frame->expressions = ExpressionsAllowed(root_, raw_schema, outer);
  const bool text_with_expression = texts_ == Texts::kTemplates && value.is_string() &&
                                    TextTemplate::MayHaveExpressions(value.get_ref<const std::string&>()) &&
                                    MayHoldExpressions(value);
  if (text_with_expression) {
    frame->assumed = true;
    if (!frame->expressions) Add(frame, "an expression cannot stand here", "write the value itself");
  } else if (CheckType(schema, value, frame)) {
    CheckWords(schema, value, frame);
    if (value.is_number()) CheckNumber(schema, value, frame);
    if (value.is_string()) CheckText(schema, value, frame);
    if (value.is_array()) CheckList(schema, value, frame);
    if (value.is_object()) CheckObject(schema, value, frame);
    CheckBranches(schema, value, frame);
  }
  frame->expressions = outer;
}

bool SchemaExplainer::MayVary(const json& value) const {
  return texts_ == Texts::kTemplates && MayHoldExpressions(value);
}

bool SchemaExplainer::CheckType(const json& schema, const json& value, Frame* frame) {
  const auto type = schema.find("type");
  if (type == schema.end()) return true;
  const std::vector<std::string> types =
      type->is_array() ? type->get<std::vector<std::string>>() : std::vector<std::string>{type->get<std::string>()};
  if (std::any_of(types.begin(), types.end(), [&](const std::string& name) { return IsOfType(value, name); })) {
    return true;
  }
  Add(frame, "expected " + ExpectedTypes(types) + ", found " + Found(value),
      schema.value("x-hint", TypeHint(types, value)));
  return false;
}

void SchemaExplainer::CheckWords(const json& schema, const json& value, Frame* frame) {
  const auto constant = schema.find("const");
  if (constant != schema.end() && value != *constant) {
    Add(frame, "expected " + constant->dump() + ", found " + Found(value),
        schema.value("x-hint", "write " + constant->dump()));
  }
  const auto words = schema.find("enum");
  if (words == schema.end() || std::find(words->begin(), words->end(), value) != words->end()) return;
  Add(frame, "found " + Found(value) + ", which is none of the values known here",
      Suggestion(PlainText(value), PlainTexts(*words)));
}

void SchemaExplainer::CheckNumber(const json& schema, const json& value, Frame* frame) {
  const double number = value.get<double>();
  const auto limit = [&](const char* keyword, const char* words, const char* fix, auto is_wrong) {
    const auto found = schema.find(keyword);
    if (found == schema.end() || !found->is_number() || !is_wrong(found->get<double>())) return;
    Add(frame, std::string("expected ") + words + " " + found->dump() + ", found " + value.dump(),
        schema.value("x-hint", fix));
  };
  limit("minimum", "at least", "raise it", [&](double least) { return number < least; });
  limit("maximum", "at most", "lower it", [&](double most) { return number > most; });
  limit("exclusiveMinimum", "more than", "raise it", [&](double bound) { return number <= bound; });
  limit("exclusiveMaximum", "less than", "lower it", [&](double bound) { return number >= bound; });
  const auto divisor = schema.find("multipleOf");
  if (divisor != schema.end() && std::abs(std::remainder(number, divisor->get<double>())) > 1e-9 * std::abs(number)) {
    Add(frame, "expected a multiple of " + divisor->dump() + ", found " + value.dump(), "round it");
  }
  if (schema.value("format", "") == "duration" && frame->problems.empty()) CheckDuration(value, frame);
}

void SchemaExplainer::CheckText(const json& schema, const json& value, Frame* frame) {
  const std::string& text = value.get_ref<const std::string&>();
  const size_t length = Characters(text);
  const size_t least = schema.value("minLength", size_t{0});
  const size_t most = schema.value("maxLength", std::numeric_limits<size_t>::max());
  if (length < least) {
    Add(frame, least == 1 ? "the text is empty" : "expected at least " + std::to_string(least) + " characters",
        "write a text");
  }
  if (length > most) {
    Add(frame, "the text has " + std::to_string(length) + " characters, expected at most " + std::to_string(most),
        "shorten it");
  }
  const auto pattern = schema.find("pattern");
  if (pattern != schema.end() && text.size() > kMaxPatternText) {
    Add(frame, "the text has " + std::to_string(length) + " characters, too many for a text of that form",
        schema.value("x-hint", "shorten it"));
  } else if (pattern != schema.end() && !MatchesPattern(text, Regex(pattern->get<std::string>()))) {
    const std::string expected = "expected a text that matches " + pattern->get<std::string>();
    const std::string hint = schema.value("x-hint", "");
    Add(frame, "found " + Found(value) + (hint.empty() ? ", " + expected : ""),
        hint.empty() ? "write it in that form" : hint);
  }
  const std::string format = schema.value("format", "");
  if (format == "regex" && !IsRegex(text)) Add(frame, Found(value) + " is not a regular expression", "correct it");
  if (format == "duration") CheckDuration(value, frame);
}

// A number is one of seconds.
void SchemaExplainer::CheckDuration(const json& value, Frame* frame) {
  try {
    ParseDuration(PlainText(value));
  } catch (const Error& error) {
    Add(frame, error.message(), error.hint());
  }
}

void SchemaExplainer::CheckList(const json& schema, const json& value, Frame* frame) {
  const size_t least = schema.value("minItems", size_t{0});
  const size_t most = schema.value("maxItems", std::numeric_limits<size_t>::max());
  if (value.size() < least) {
    Add(frame, least == 1 ? "the list is empty" : "expected at least " + std::to_string(least) + " elements",
        "add one");
  }
  if (value.size() > most) Add(frame, "expected at most " + std::to_string(most) + " elements", "remove some");
  const auto items = schema.find("items");
  const auto others = schema.find("additionalItems");  // those after a list of schemas
  for (size_t i = 0; items != schema.end() && i < value.size(); ++i) {
    const bool is_other = items->is_array() && i >= items->size();
    if (is_other && others == schema.end()) break;
    frame->path.push_back(std::to_string(i));
    Visit(is_other ? *others : items->is_array() ? (*items)[i] : *items, value[i], frame);
    frame->path.pop_back();
  }
  CheckContains(schema, value, frame);
  if (!schema.value("uniqueItems", false)) return;
  frame->assumed |= MayVary(value);
  for (size_t i = 1; i < value.size(); ++i) {
    const auto here = value.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(value.begin(), here, *here) == here) continue;
    Add(frame, Found(*here) + " stands in the list twice", "remove one of them");
  }
}

void SchemaExplainer::CheckContains(const json& schema, const json& value, Frame* frame) {
  if (!schema.contains("contains")) return;
  Fit best = Fit::kNo;
  for (const json& element : value) best = std::max(best, FitOf(schema["contains"], element, *frame));
  frame->assumed |= best == Fit::kPerhaps;
  if (best != Fit::kNo) return;
  const json& wanted = Dereferenced(root_, schema["contains"]);
  const bool is_known = wanted.is_object() && wanted.contains("const");
  Add(frame, "no element of the list is " + (is_known ? wanted["const"].dump() : "of the form that one must have"),
      schema.value("x-hint", is_known ? "add it" : "add such an element"));
}

void SchemaExplainer::CheckDependencies(const json& schema, const json& value, Frame* frame) {
  const auto dependencies = schema.find("dependencies");
  if (dependencies == schema.end()) return;
  for (const auto& [name, needed] : dependencies->items()) {
    if (!value.contains(name)) continue;
    if (!needed.is_array()) {
      Visit(needed, value, frame);
      continue;
    }
    for (const std::string& other : PlainTexts(needed)) {
      if (value.contains(other)) continue;
      frame->problems.push_back({frame->path, true, "missing key '" + other + "' in " + Name(*frame),
                                 "add it, as '" + name + "' needs it; or remove '" + name + "'"});
    }
  }
}

void SchemaExplainer::CheckObject(const json& schema, const json& value, Frame* frame) {
  if (schema.contains("required")) {
    for (const json& key : schema["required"]) {
      const std::string name = key.get<std::string>();
      if (value.contains(name)) continue;
      std::string hint = "add it";
      const json properties = schema.value("properties", json::object());
      if (properties.contains(name)) {
        const json& property = Dereferenced(root_, properties[name]);
        if (property.contains("enum")) hint += ", one of " + Join(PlainTexts(property["enum"]), ", ");
        const std::string description = TextIn(property, "description");
        if (!description.empty()) hint += ": " + description;
      }
      frame->problems.push_back({frame->path, true, "missing key '" + name + "' in " + Name(*frame), hint});
    }
  }
  if (value.size() < schema.value("minProperties", size_t{0}))
    Add(frame, "expected at least one entry, found none", "add one");
  if (value.size() > schema.value("maxProperties", std::numeric_limits<size_t>::max())) {
    Add(frame, "expected at most " + schema["maxProperties"].dump() + " entries, found " + std::to_string(value.size()),
        "remove some");
  }
  CheckDependencies(schema, value, frame);
  for (auto it = value.begin(); it != value.end(); ++it) CheckMember(schema, value, it.key(), frame);
}

void SchemaExplainer::CheckMember(const json& schema, const json& object, const std::string& name, Frame* frame) {
  if (frame->problems.size() >= kMaxProblems) return;  // looking for a similar key takes time
  const json& value = object[name];
  const json* const choice = std::exchange(frame->choice, nullptr);  // it is not that of the member
  const auto container = [&, depth = frame->path.size()] {
    return NameOf(SchemaPath(frame->path.begin(), frame->path.begin() + static_cast<std::ptrdiff_t>(depth)),
                  root_name_);
  };
  const auto names = schema.find("propertyNames");
  if (names != schema.end() && !Fits(*names, name, *frame)) {
    const std::string hint = TextIn(Dereferenced(root_, *names), "x-hint", "write another name");
    frame->path.push_back(name);
    frame->problems.push_back({frame->path, true, "'" + name + "' in " + container() + " is not a usable name", hint});
    frame->path.pop_back();
  }
  frame->path.push_back(name);
  bool known = false;
  const auto properties = schema.find("properties");
  if (properties != schema.end() && properties->contains(name)) {
    known = true;
    Visit((*properties)[name], value, frame);
  }
  if (schema.contains("patternProperties")) {
    for (const auto& [pattern, sub] : schema["patternProperties"].items()) {
      if (!MatchesPattern(name, Regex(pattern))) continue;
      known = true;
      Visit(sub, value, frame);
    }
  }
  const auto others = schema.find("additionalProperties");
  if (!known && others != schema.end()) {
    if (others->is_boolean() && !others->get<bool>()) {
      std::vector<std::string> candidates;
      if (properties != schema.end()) {
        for (const auto& [candidate, sub] : properties->items()) candidates.push_back(candidate);
      }
      SchemaProblem problem{frame->path, true, "unknown key '" + name + "' in " + container(),
                            HintForKey(schema, object, name, candidates)};
      if (choice != nullptr) ExplainKeyOfOtherBranch(*choice, object, name, &problem);
      frame->problems.push_back(std::move(problem));
    } else {
      Visit(*others, value, frame);
    }
  }
  frame->path.pop_back();
  frame->choice = choice;
}

void SchemaExplainer::CheckBranches(const json& schema, const json& value, Frame* frame) {
  if (schema.contains("allOf")) {
    for (const json& part : schema["allOf"]) Visit(part, value, frame);
  }
  const bool chosen = CheckChosenBranch(schema, value, frame);
  for (const char* combination : {"anyOf", "oneOf"}) {
    if (!schema.contains(combination)) continue;
    const json& branches = schema[combination];
    const bool only_one = combination == std::string_view("oneOf");
    if (only_one && chosen) continue;
    if (CheckChoiceOfKeys(branches, value, only_one, frame)) continue;
    const auto fitting = std::count_if(branches.begin(), branches.end(),
                                       [&](const json& branch) { return Fits(branch, value, *frame); });
    if (fitting == 0) AddBestBranch(branches, value, frame);
    if (only_one && fitting > 1 && !MayVary(value)) {
      Add(frame, Found(value) + " fits more than one of the forms known here",
          schema.value("x-hint", "keep to one of them"));
    }
  }
  if (schema.contains("not")) {
    const Fit fit = FitOf(schema["not"], value, *frame);
    frame->assumed |= fit == Fit::kPerhaps;
    if (fit == Fit::kYes) {
      Add(frame, "found " + Found(value) + ", which is not allowed here",
          schema.value("x-hint", "write something else"));
    }
  }
  if (!schema.contains("if")) return;
  const Fit fit = FitOf(schema["if"], value, *frame);
  frame->assumed |= fit == Fit::kPerhaps;  // which of the two holds is known once the expression is resolved
  const char* next = fit == Fit::kYes ? "then" : "else";
  if (fit != Fit::kPerhaps && schema.contains(next)) Visit(schema[next], value, frame);
}

// A property that chooses nothing is missing or wrong, which is told of the property itself; while it is still to come,
// every branch may be the one.
bool SchemaExplainer::CheckChosenBranch(const json& schema, const json& value, Frame* frame) {
  if (!schema.contains("discriminator") || !value.is_object()) return false;
  if (const json* const branch = ChosenBranch(root_, schema, value)) {
    const json* const outer = std::exchange(frame->choice, &schema);
    Visit(*branch, value, frame);
    frame->choice = outer;
    return true;
  }
  const auto property = value.find(schema["discriminator"]["propertyName"].get_ref<const std::string&>());
  return property == value.end() || !MayVary(*property);
}

void SchemaExplainer::ExplainKeyOfOtherBranch(const json& choice, const json& object, const std::string& name,
                                              SchemaProblem* problem) const {
  const std::string property = choice["discriminator"]["propertyName"];
  std::vector<std::string> others;
  for (const json& branch : choice["oneOf"]) {
    const json& properties = ObjectIn(Dereferenced(root_, branch), "properties");
    if (properties.contains(name)) others.push_back(properties[property]["const"].get<std::string>());
  }
  if (others.empty()) return;
  problem->message = "'" + name + "' is no key of " + property + " '" + object[property].get<std::string>() + "'";
  problem->hint = "remove it; it is one of " + property + " " + Join(others, ", ");
}

bool SchemaExplainer::CheckChoiceOfKeys(const json& branches, const json& value, bool only_one, Frame* frame) {
  const std::vector<std::string> keys = KeysOfChoice(branches);
  if (keys.empty() || !value.is_object()) return false;
  std::vector<std::string> present;
  for (const std::string& key : keys) {
    if (value.contains(key)) present.push_back("'" + key + "'");
  }
  if (present.empty()) {
    frame->problems.push_back(
        {frame->path, true, Name(*frame) + ": expected one of the keys " + Join(keys, ", "), "add one of them"});
  } else if (only_one && present.size() > 1) {
    frame->problems.push_back({frame->path, true, Name(*frame) + ": found " + Join(present, " and ") + ", expected one",
                               "remove all but one of them"});
  }
  return true;
}

void SchemaExplainer::AddBestBranch(const json& branches, const json& value, Frame* frame) {
  SchemaProblems best;
  size_t best_rank = std::numeric_limits<size_t>::max();
  std::vector<std::string> types;
  for (const json& branch : branches) {
    const json& schema = Dereferenced(root_, branch);
    const auto type = schema.is_object() ? schema.find("type") : schema.end();
    const bool other_type = type != schema.end() && type->is_string() && !IsOfType(value, type->get<std::string>());
    if (other_type) types.push_back(type->get<std::string>());
    Frame attempt{frame->path, frame->expressions, {}};
    Visit(branch, value, &attempt);
    // A branch of another type is worst; then one whose keys are wrong, as another one was meant; then by number.
    size_t rank = (other_type ? 10000 : 0) + attempt.problems.size();
    for (const SchemaProblem& problem : attempt.problems) rank += problem.at_key ? 100 : 0;
    if (rank < best_rank) {
      best_rank = rank;
      best = std::move(attempt.problems);
    }
  }
  if (types.size() == branches.size()) {
    Add(frame, "expected " + ExpectedTypes(types) + ", found " + Found(value), TypeHint(types, value));
    return;
  }
  frame->problems.insert(frame->problems.end(), best.begin(), best.end());
}

}  // namespace cosmos
