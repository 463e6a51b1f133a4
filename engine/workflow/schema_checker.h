#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "workflow/schema_explainer.h"

namespace cosmos {

// Checks values against one JSON Schema (draft 7): a plugin's parameters, or a workflow. SchemaExplainer finds what is
// wrong and says it; valijson checks that nothing was overlooked. Compile once, use for many values. Thread-safe.
class SchemaChecker {
 public:
  // Of somebody else's schema; one that is null takes everything. Throws Error{kInvalidInput} when it is no JSON
  // Schema.
  explicit SchemaChecker(nlohmann::json schema);
  // Of a schema of the engine's own (workflow_schema.h), which a test has found to be one.
  static SchemaChecker OfOwn(nlohmann::json schema);
  ~SchemaChecker();
  SchemaChecker(SchemaChecker&&) noexcept;
  SchemaChecker& operator=(SchemaChecker&&) noexcept;

  const nlohmann::json& schema() const;

  // Everything in which `value` does not fit. A template that holds an expression may stand for any value (unless the
  // schema says otherwise, see SchemaExplainer); it is to be checked again when it is resolved.
  SchemaProblems Check(const nlohmann::json& value, Texts texts, const SchemaPath& prefix = {},
                       const std::string& root_name = "the parameters") const;
  // `value` (null: an empty object) with the schema's defaults; as templates, the texts in them are escaped.
  nlohmann::json WithDefaults(nlohmann::json value, Texts texts) const;
  // `value` of plain texts with the defaults, checked; its texts are plain, whatever they hold, and so is a number
  // where a text is wanted. Throws Error{kInvalidInput} that names everything that is wrong.
  nlohmann::json Checked(nlohmann::json value) const;

 private:
  class Impl;
  SchemaChecker();

  std::unique_ptr<Impl> impl_;
};

}  // namespace cosmos
