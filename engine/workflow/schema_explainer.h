#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "workflow/schema_path.h"

namespace cosmos {

// One way in which a value does not fit its schema.
struct SchemaProblem {
  SchemaPath path;      // of the value; of the container for a missing key
  bool at_key = false;  // the fault is the key at `path`, not its value
  std::string message;
  std::string hint;
};
using SchemaProblems = std::vector<SchemaProblem>;

// What the texts in a value are: as they stand, or templates that may hold expressions (`${{ … }}`).
enum class Texts { kPlain, kTemplates };

// Finds everything in which a value does not fit a JSON Schema (draft 7), in the words of a person: found, expected,
// fix. Of the formats, `duration` (ours) and `regex` are checked. Beyond JSON Schema: `"x-hint"` gives the fix for its
// schema, `"x-instead"` that for keys by which other languages call something; where expressions are allowed
// (`"x-expressions": true | false`, for a value and all below) a text that holds one fits everything; a `discriminator`
// beside `oneOf` names the property that chooses the branch (see ChosenBranch). Not thread-safe; made for one schema
// and used for many values.
class SchemaExplainer {
 public:
  // `schema` must outlive the explainer.
  explicit SchemaExplainer(const nlohmann::json* schema) : root_(*schema) {}

  // `prefix` and `root_name` name the value in messages, see NameOf.
  SchemaProblems Explain(const nlohmann::json& value, Texts texts, const SchemaPath& prefix,
                         const std::string& root_name);

 private:
  using json = nlohmann::json;

  // What one call works with; copied for branches, so that their problems can be thrown away.
  struct Frame {
    SchemaPath path;
    bool expressions = true;  // whether they are allowed here
    SchemaProblems problems;
    bool assumed = false;          // whether a value passed because its expression is still to be resolved
    const json* choice = nullptr;  // a schema with a discriminator, while the object that chose by it is looked at
  };

  void Visit(const json& raw_schema, const json& value, Frame* frame);
  // kPerhaps: as far as it is known, and it depends on expressions.
  enum class Fit { kNo, kPerhaps, kYes };
  Fit FitOf(const json& schema, const json& value, const Frame& frame);
  bool Fits(const json& schema, const json& value, const Frame& frame);
  // Whether the value will be another one once its expressions are resolved.
  bool MayVary(const json& value) const;
  bool CheckType(const json& schema, const json& value, Frame* frame);
  void CheckWords(const json& schema, const json& value, Frame* frame);
  void CheckNumber(const json& schema, const json& value, Frame* frame);
  void CheckText(const json& schema, const json& value, Frame* frame);
  void CheckDuration(const json& value, Frame* frame);
  void CheckList(const json& schema, const json& value, Frame* frame);
  void CheckObject(const json& schema, const json& value, Frame* frame);
  void CheckContains(const json& schema, const json& value, Frame* frame);
  void CheckDependencies(const json& schema, const json& value, Frame* frame);
  void CheckMember(const json& schema, const json& object, const std::string& name, Frame* frame);
  void CheckBranches(const json& schema, const json& value, Frame* frame);
  // Whether the schema has a discriminator, so that at most one of its branches applies.
  bool CheckChosenBranch(const json& schema, const json& value, Frame* frame);
  // Says so when another branch than the chosen one has the unknown key `name`.
  void ExplainKeyOfOtherBranch(const json& choice, const json& object, const std::string& name,
                               SchemaProblem* problem) const;
  bool CheckChoiceOfKeys(const json& branches, const json& value, bool only_one, Frame* frame);
  void AddBestBranch(const json& branches, const json& value, Frame* frame);

  void Add(Frame* frame, const std::string& message, const std::string& hint = "") const;
  std::string Name(const Frame& frame) const { return NameOf(frame.path, root_name_); }
  const std::regex& Regex(const std::string& pattern);

  const json& root_;
  std::string root_name_;
  Texts texts_ = Texts::kPlain;
  std::map<std::string, std::regex> regexes_;
};

}  // namespace cosmos
