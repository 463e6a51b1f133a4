#include "workflow/reference_checker.h"

#include <algorithm>

#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string ConditionOf(const std::string& text, size_t* offset) {
  *offset = 0;
  if (!TextTemplate::MayHaveExpressions(text)) return text;
  const size_t start = text.find_first_not_of(" \t\n");
  const size_t end = text.find_last_not_of(" \t\n") + 1;
  const std::string trimmed = text.substr(start, end - start);
  const TextTemplate parsed = TextTemplate::Parse(trimmed);
  if (parsed.parts().size() != 1 || !parsed.parts()[0].expression) {
    throw ExpressionError(start, "a condition is one expression, but there is text beside its ${{ }}",
                          "put all of it into one ${{ }}, or leave ${{ }} away");
  }
  *offset = start + 3;
  return trimmed.substr(3, trimmed.size() - 5);
}

std::set<std::string> ReferenceChecker::Check(const json& value, const YamlNode& node, const ReferenceRules& rules) {
  std::set<std::string> stages;
  if (value.is_string()) {
    CheckText(value.get_ref<const std::string&>(), node, rules, &stages);
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size() && i < node.items.size(); ++i) {
      stages.merge(Check(value[i], node.items[i], rules));
    }
  } else if (value.is_object()) {
    for (const auto& [name, member] : node.members) {
      const auto element = value.find(name);
      if (element != value.end()) stages.merge(Check(*element, member, rules));
    }
  }
  return stages;
}

std::set<std::string> ReferenceChecker::CheckCondition(const json& value, const YamlNode& node,
                                                       const ReferenceRules& rules) {
  std::set<std::string> stages;
  if (!value.is_string()) return stages;
  const std::string& text = value.get_ref<const std::string&>();
  size_t offset = 0;
  try {
    const std::string source = ConditionOf(text, &offset);
    // The blanks keep the offsets those of the whole text.
    CheckExpression(ParseExpression(std::string(offset, ' ') + source), text, node, rules, &stages);
  } catch (const ExpressionError& error) {
    findings_.Add(document_.PlaceInside(node, text, error.offset()), rules.place + ": " + error.message(),
                  error.hint());
  }
  return stages;
}

void ReferenceChecker::CheckText(const std::string& text, const YamlNode& node, const ReferenceRules& rules,
                                 std::set<std::string>* stages) {
  if (findings_.full() || !TextTemplate::MayHaveExpressions(text)) return;
  const TextTemplate parsed = TextTemplate::Parse(text, [&](const ExpressionError& error) {
    if (findings_.full()) return;  // finding the place goes through all of the text
    findings_.Add(document_.PlaceInside(node, text, error.offset()), rules.place + ": " + error.message(),
                  error.hint());
  });
  for (const TextTemplate::Part& part : parsed.parts()) {
    if (part.expression) CheckExpression(*part.expression, text, node, rules, stages);
  }
}

void ReferenceChecker::CheckExpression(const Expression& expression, const std::string& text, const YamlNode& node,
                                       const ReferenceRules& rules, std::set<std::string>* stages) {
  ForEachReference(expression, [&](const Expression& reference, bool guarded) {
    const auto add = [&](std::string message, std::string hint) {
      if (findings_.full()) return;  // finding the place goes through all of the text
      findings_.Add(document_.PlaceInside(node, text, reference.offset), rules.place + ": " + std::move(message),
                    std::move(hint));
    };
    if (reference.path[0] == "stages") stages->insert(reference.path[1]);
    CheckReference(reference, guarded, rules, add);
  });
}

void ReferenceChecker::CheckReference(const Expression& reference, bool guarded, const ReferenceRules& rules,
                                      const std::function<void(std::string, std::string)>& add) {
  const std::string& root = reference.path[0];
  const std::string& name = reference.path[1];
  if (IsDeferred(reference.path) && (!rules.deferred || (root == "stages" && !rules.stages))) {
    add("'" + NameOfPath(reference.path) + "' is known only while the run is there, which is too late here",
        "use params, matrix or env here");
  } else if (root == "params") {
    if (!Has(params_, name)) add("the workflow has no param '" + name + "'", Suggestion(name, params_));
  } else if (root == "secrets") {
    if (!Has(secrets_, name)) add("the workflow has no secret '" + name + "'", Suggestion(name, secrets_));
  } else if (root == "matrix") {
    if (rules.matrix.empty()) {
      add("there is no matrix here, so there is no 'matrix." + name + "'", "give the stage a `matrix:`");
    } else if (!Has(rules.matrix, name)) {
      add("the matrix has no key '" + name + "'", Suggestion(name, rules.matrix));
    }
  } else if (root == "env" && Has(own_environment_, name)) {
    return;
  } else if (root == "env") {
    if (const auto problem = environment_rules_.Check(name); !problem.message.empty()) {
      add(problem.message, problem.hint);
    } else if (!guarded && !environment_(name)) {
      add("the environment has no variable '" + name + "'", "export it, or write default(env." + name + ", …)");
    }
  } else if (root == "stages" && rules.check_stage) {
    rules.check_stage(reference, name, reference.path.size() > 3 ? reference.path[3] : "", add);
  }
}

}  // namespace cosmos
