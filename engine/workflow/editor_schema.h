#pragma once

#include <nlohmann/json.hpp>

namespace cosmos {

// `schema`, in the dialect of the engine (see SchemaExplainer), as editors and other validators understand it: plain
// JSON Schema, draft 7, valid for ajv in strict mode. It takes every value that the engine takes, as far as the value
// alone can say, and refuses what a schema can refuse:
//   - where expressions are allowed, a text that holds `${{` stands for anything; elsewhere it is refused;
//   - a number or boolean is taken where a text is wanted (see KeepTexts), and a key that has a default may be absent;
//   - a format becomes a pattern or is left out, and the annotations `x-…` are left out;
//   - a `oneOf` with a discriminator becomes conditions, so that an editor follows the branch that was chosen.
// Titles, descriptions and defaults stay. Laxer than the engine: `oneOf` of more than keys is `anyOf`, and a list whose
// elements have a schema each is any list. Pure.
nlohmann::json EditorSchema(const nlohmann::json& schema);

}  // namespace cosmos
