#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "workflow/schema_path.h"

// Going through a JSON Schema and a value side by side. Pure functions.
namespace cosmos {

// What the `$ref` of `schema` refers to in `root`; `true` when there is nothing.
const nlohmann::json& Referred(const nlohmann::json& root, const nlohmann::json& schema);
// The schema that `schema` stands for, `$ref`s to places in `root` followed. A reference to nowhere gives `true`.
const nlohmann::json& Dereferenced(const nlohmann::json& root, const nlohmann::json& schema);

// The `x-expressions` of `schema`, or else of the first that it refers to which has one.
bool ExpressionsAllowed(const nlohmann::json& root, const nlohmann::json& schema, bool otherwise);

// The one branch of the schema's `oneOf` that `value` chooses by the property that its `discriminator` names (as
// OpenAPI has it: each branch gives that property a `const`); nullptr when the schema has no discriminator, or the
// value chooses none of the branches.
const nlohmann::json* ChosenBranch(const nlohmann::json& root, const nlohmann::json& schema,
                                   const nlohmann::json& value);

// Calls `visit` for `value` and everything below it, once with each part of `schema` (which belongs to `root`) that
// applies to it, all branches of anyOf and oneOf included; of those with a discriminator only the chosen one.
using SchemaVisitor =
    std::function<void(const nlohmann::json& schema, const nlohmann::json& value, const SchemaPath& path)>;
void WalkSchema(const nlohmann::json& root, const nlohmann::json& schema, const nlohmann::json& value,
                const SchemaVisitor& visit);

// `value` with the properties that are absent and have a default. `adapt` is applied to each default.
nlohmann::json WithDefaults(
    const nlohmann::json& root, const nlohmann::json& schema, nlohmann::json value,
    const std::function<nlohmann::json(const nlohmann::json&)>& adapt = [](const nlohmann::json& json) {
      return json;
    });

}  // namespace cosmos
