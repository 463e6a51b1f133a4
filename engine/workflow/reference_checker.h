#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workflow/environment_rules.h"
#include "workflow/expression_tree.h"
#include "workflow/findings.h"
#include "workflow/yaml_document.h"

namespace cosmos {

// What an expression may refer to where it stands.
struct ReferenceRules {
  std::string place;                // such as "'target' of stage 'render'", for messages
  bool deferred = true;             // stages.*, run.* and secrets.* may be used
  bool stages = true;               // of these, stages.* too
  std::vector<std::string> matrix;  // the keys of the matrix, when there is one
  // Checks a stage that is referred to, and one of its outputs (empty: none by name).
  std::function<void(const Expression& reference, const std::string& stage, const std::string& output,
                     const std::function<void(std::string, std::string)>& add)>
      check_stage;
};

// Finds references to what is not there, and expressions that are wrong, in one workflow. Not thread-safe.
class ReferenceChecker {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  // All must outlive the checker.
  ReferenceChecker(const YamlDocument* document, FindingList* findings, const Environment* environment)
      : document_(*document), findings_(*findings), environment_(*environment) {}

  void SetParams(std::vector<std::string> names) { params_ = std::move(names); }
  void SetSecrets(std::vector<std::string> names) { secrets_ = std::move(names); }
  // The names of the workflow's own `env:`.
  void SetOwnEnvironment(std::vector<std::string> names) { own_environment_ = std::move(names); }
  void SetEnvironment(EnvironmentRules rules) { environment_rules_ = std::move(rules); }

  // Checks all templates in `value`, which stands at `node`. Gives the stages that are referred to.
  std::set<std::string> Check(const nlohmann::json& value, const YamlNode& node, const ReferenceRules& rules);
  // The same of a condition, which is an expression with or without its `${{ }}`.
  std::set<std::string> CheckCondition(const nlohmann::json& value, const YamlNode& node, const ReferenceRules& rules);

 private:
  void CheckText(const std::string& text, const YamlNode& node, const ReferenceRules& rules,
                 std::set<std::string>* stages);
  void CheckExpression(const Expression& expression, const std::string& text, const YamlNode& node,
                       const ReferenceRules& rules, std::set<std::string>* stages);
  void CheckReference(const Expression& reference, bool guarded, const ReferenceRules& rules,
                      const std::function<void(std::string, std::string)>& add);

  const YamlDocument& document_;
  FindingList& findings_;
  const Environment& environment_;
  std::vector<std::string> params_;
  std::vector<std::string> secrets_;
  std::vector<std::string> own_environment_;
  EnvironmentRules environment_rules_;
};

// The expression of a `when:` text: without its `${{ }}` if it stands in one. `offset` is where it begins in the text.
// Throws ExpressionError when there is more than one expression in it.
std::string ConditionOf(const std::string& text, size_t* offset);

}  // namespace cosmos
