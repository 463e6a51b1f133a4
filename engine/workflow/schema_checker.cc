#include "workflow/schema_checker.h"

#include <mutex>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/error.h"
#include "workflow/expression.h"
#include "workflow/schema_pattern.h"
#include "workflow/schema_walk.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

bool MayHoldExpressions(const json& value) {
  try {
    return HasExpressions(value);
  } catch (const Error&) {
    return true;
  }
}

// The steps in valijson's context, such as <root>, [key], [0].
SchemaPath PathOf(const std::vector<std::string>& context, const SchemaPath& prefix) {
  SchemaPath path = prefix;
  for (const std::string& step : context) {
    if (step.size() > 2 && step.front() == '[' && step.back() == ']') path.push_back(step.substr(1, step.size() - 2));
  }
  return path;
}

// valijson fails on a format where the value turns out to be no text.
json WithoutFormats(const json& schema) {
  json copy = schema;
  if (!copy.is_structured()) return copy;
  if (copy.is_object() && copy.contains("format") && copy["format"].is_string()) copy.erase("format");
  for (auto it = copy.begin(); it != copy.end(); ++it) {
    const bool is_value = copy.is_object() && (it.key() == "enum" || it.key() == "const" || it.key() == "default");
    if (!is_value) *it = WithoutFormats(*it);
  }
  return copy;
}

}  // namespace

class SchemaChecker::Impl {
 public:
  explicit Impl(json schema) : schema_(schema.is_null() ? json::object() : std::move(schema)), explainer_(&schema_) {
    try {
      valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
      const json plain = WithoutFormats(schema_);
      parser.populateSchema(NlohmannJsonAdapter(plain), compiled_);
    } catch (const std::exception& error) {
      throw Error(ErrorCode::kInvalidInput, std::string("this is no JSON Schema: ") + error.what());
    }
  }

  SchemaProblems Check(const json& value, Texts texts, const SchemaPath& prefix, const std::string& root_name) {
    const std::lock_guard lock(mutex_);
    SchemaProblems problems = explainer_.Explain(value, texts, prefix, root_name);
    if (!problems.empty() || (texts == Texts::kTemplates && MayHoldExpressions(value))) return problems;
    if (ExceedsPatternText(value)) return problems;  // valijson compares any text with a pattern
    if (validator_.validate(compiled_, NlohmannJsonAdapter(value), nullptr)) return problems;
    valijson::ValidationResults results;
    validator_.validate(compiled_, NlohmannJsonAdapter(value), &results);
    for (const auto& error : results) {
      const SchemaPath path = PathOf(error.context, prefix);
      problems.push_back({path, false, NameOf(path, root_name) + ": " + error.description, ""});
    }
    return problems;
  }

  const json& schema() const { return schema_; }

 private:
  const json schema_;
  valijson::Schema compiled_;
  std::mutex mutex_;  // guards all below: both remember the regular expressions they compiled
  valijson::Validator validator_;
  SchemaExplainer explainer_;
};

SchemaChecker::SchemaChecker(json schema) : impl_(std::make_unique<Impl>(std::move(schema))) {}
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
