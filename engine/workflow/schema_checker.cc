#include "workflow/schema_checker.h"

#include <mutex>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/error.h"
#include "core/json_values.h"
#include "workflow/schema_form.h"
#include "workflow/schema_pattern.h"
#include "workflow/schema_texts.h"
#include "workflow/schema_walk.h"
#include "workflow/text_template.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

// The steps in valijson's context, such as <root>, [key], [0].
SchemaPath PathOf(const std::vector<std::string>& context, const SchemaPath& prefix) {
  SchemaPath path = prefix;
  for (const std::string& step : context) {
    if (step.size() > 2 && step.front() == '[' && step.back() == ']') path.push_back(step.substr(1, step.size() - 2));
  }
  return path;
}

// Throws Error{kInvalidInput} unless `schema` is a JSON Schema.
void DemandSchema(const json& schema) {
  const json rules = ParseJson(JsonSchemaSchema(), kOwnJson);
  const SchemaProblems problems = SchemaExplainer(&rules).Explain(schema, Texts::kPlain, {}, "the schema");
  if (problems.empty()) return;
  throw Error(ErrorCode::kInvalidInput, "this is no JSON Schema: " + problems[0].message, problems[0].hint);
}

// Where the results of valijson, which begin with the smallest part at fault, are most exact.
SchemaPath DeepestPath(const valijson::ValidationResults& results, const SchemaPath& prefix) {
  SchemaPath deepest = prefix;
  for (const auto& error : results) {
    SchemaPath path = PathOf(error.context, prefix);
    if (path.size() > deepest.size()) deepest = std::move(path);
  }
  return deepest;
}

}  // namespace

class SchemaChecker::Impl {
 public:
  explicit Impl(json schema) : schema_(schema.is_null() ? json::object() : std::move(schema)), explainer_(&schema_) {
    try {
      const json form = PossibleForm(schema_);
      valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(NlohmannJsonAdapter(form), possible_);
    } catch (const std::exception&) {
      throw Error(ErrorCode::kInvalidInput, "this is no JSON Schema of draft 7", "check it with a validator");
    }
  }

  SchemaProblems Check(const json& value, Texts texts, const SchemaPath& prefix, const std::string& root_name) {
    const std::lock_guard lock(mutex_);
    SchemaProblems problems = explainer_.Explain(value, texts, prefix, root_name);
    if (!problems.empty() || HasLongKey(value)) return problems;  // valijson compares any key with a pattern
    const json marked = Marked(value, texts);
    if (validator_.validate(possible_, NlohmannJsonAdapter(marked), nullptr)) return problems;
    valijson::ValidationResults results;
    validator_.validate(possible_, NlohmannJsonAdapter(marked), &results);
    const SchemaPath path = DeepestPath(results, prefix);
    return {{path, false, NameOf(path, root_name) + " does not fit its schema", "compare it with the schema"}};
  }

  const json& schema() const { return schema_; }

 private:
  const json schema_;
  valijson::Schema possible_;  // PossibleForm(schema_)
  std::mutex mutex_;           // guards all below: both remember the regular expressions they compiled
  valijson::Validator validator_;
  SchemaExplainer explainer_;
};

SchemaChecker::SchemaChecker(json schema) {
  if (!schema.is_null()) DemandSchema(schema);
  impl_ = std::make_unique<Impl>(std::move(schema));
}
SchemaChecker::SchemaChecker() = default;
SchemaChecker SchemaChecker::OfOwn(json schema) {
  SchemaChecker checker;
  checker.impl_ = std::make_unique<Impl>(std::move(schema));
  return checker;
}
SchemaChecker::~SchemaChecker() = default;
SchemaChecker::SchemaChecker(SchemaChecker&&) noexcept = default;
SchemaChecker& SchemaChecker::operator=(SchemaChecker&&) noexcept = default;

const json& SchemaChecker::schema() const { return impl_->schema(); }

SchemaProblems SchemaChecker::Check(const json& value, Texts texts, const SchemaPath& prefix,
                                    const std::string& root_name) const {
  return impl_->Check(value, texts, prefix, root_name);
}

json SchemaChecker::WithDefaults(json value, Texts texts) const {
  const auto adapt = [texts](const json& plain) { return texts == Texts::kTemplates ? EscapeTree(plain) : plain; };
  return cosmos::WithDefaults(schema(), schema(), value.is_null() ? json::object() : std::move(value), adapt);
}

json SchemaChecker::Checked(json value) const {
  KeepTexts(schema(), &value);
  json complete = WithDefaults(std::move(value), Texts::kPlain);
  std::string message;
  std::string hint;
  for (const SchemaProblem& problem : Check(complete, Texts::kPlain)) {
    if (!message.empty()) message += "; ";
    message += problem.message;
    if (hint.empty()) hint = problem.hint;
  }
  if (!message.empty()) throw Error(ErrorCode::kInvalidInput, message, hint);
  return complete;
}

}  // namespace cosmos
