#pragma once

#include <nlohmann/json.hpp>

#include "workflow/schema_explainer.h"

// How valijson judges values that are not known yet. Pure functions.
namespace cosmos {

// The JSON Schema (draft 7) that refuses what can fit `schema` in no case, whatever stands in place of the texts that
// Marked() replaced. Exact for values without such texts, but for `oneOf` (at least one branch must fit) and
// `uniqueItems`, both of which SchemaExplainer judges. Formats and annotations are left out. Every `propertyNames` is a
// `$ref`: valijson 1.0 takes the schema around an inline one for it, once that schema was reached by a `$ref` itself.
nlohmann::json PossibleForm(const nlohmann::json& schema);

// `value` with a mark in place of every text that may become anything (one that holds an expression, of templates) or
// that is too long for a pattern.
nlohmann::json Marked(const nlohmann::json& value, Texts texts);

}  // namespace cosmos
