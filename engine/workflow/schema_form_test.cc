#define VALIJSON_USE_EXCEPTIONS 1
#include "workflow/schema_form.h"

#include <gtest/gtest.h>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace cosmos {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

bool ValijsonTakes(const json& schema, const json& value) {
  const json form = PossibleForm(schema);
  valijson::Schema compiled;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(NlohmannJsonAdapter(form), compiled);
  const json marked = Marked(value, Texts::kTemplates);
  return valijson::Validator().validate(compiled, NlohmannJsonAdapter(marked), nullptr);
}

bool ExplainerTakes(const json& schema, const json& value) {
  return SchemaExplainer(&schema).Explain(value, Texts::kTemplates, {}, "the value").empty();
}

struct Case {
  const char* schema;
  const char* value;
  bool fits;
};

// Both have the same opinion of every keyword, with and without an expression beside.
TEST(SchemaFormTest, TheExplainerAndValijsonAgree) {
  const Case kCases[] = {
      {R"({"type": "integer"})", "1", true},
      {R"({"type": ["integer", "null"]})", "\"a\"", false},
      {R"({"multipleOf": 2})", "3", false},
      {R"({"multipleOf": 0.1})", "0.3", true},
      {R"({"items": {"multipleOf": 0.5}})", R"(["${{ 1 }}", 0.75])", false},
      {R"({"minLength": 2, "maxLength": 3})", "\"äöü\"", true},
      {R"({"minLength": 2})", "\"ä\"", false},
      {R"({"pattern": "^a"})", "\"ba\"", false},
      {R"({"enum": [1, "a", null]})", "null", true},
      {R"({"enum": [1, "a", null]})", "2", false},
      {R"({"const": {"a": 1}})", R"({"a": 1})", true},
      {R"({"items": [{"type": "integer"}], "additionalItems": {"type": "null"}})", "[1, null]", true},
      {R"({"items": [{"type": "integer"}], "additionalItems": {"type": "null"}})", "[1, 2]", false},
      {R"({"items": [{"type": "integer"}], "additionalItems": false})", "[1, \"${{ 1 }}\", 2]", false},
      {R"({"minItems": 1, "maxItems": 2})", "[1, 2, 3]", false},
      {R"({"contains": {"const": 1}})", "[2, 3]", false},
      {R"({"contains": {"const": 1}})", R"([2, "${{ 1 }}"])", true},
      {R"({"contains": {"const": 1}})", R"([{"a": "${{ 1 }}"}])", false},
      {R"({"contains": {"type": "null"}})", "[]", false},
      {R"({"minProperties": 1, "maxProperties": 1})", R"({"a": 1, "b": "${{ 1 }}"})", false},
      {R"({"required": ["a"]})", R"({"b": "${{ 1 }}"})", false},
      {R"({"dependencies": {"a": ["b"]}})", R"({"a": "${{ 1 }}"})", false},
      {R"({"dependencies": {"a": {"required": ["c"]}}})", R"({"a": 1, "c": 1})", true},
      {R"({"dependencies": {"a": {"required": ["c"]}}})", R"({"a": 1})", false},
      {R"({"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": false})", R"({"xa": null})", true},
      {R"({"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": false})", R"({"a": null})", false},
      {R"({"propertyNames": {"maxLength": 1}})", R"({"ab": "${{ 1 }}"})", false},
      {R"({"allOf": [{"minimum": 1}, {"maximum": 2}]})", "3", false},
      {R"({"anyOf": [{"minimum": 5}, {"maximum": 2}]})", "3", false},
      {R"({"oneOf": [{"type": "integer"}, {"type": "array"}]})", R"({"y": "${{ 1 }}"})", false},
      {R"({"not": {"required": ["a"]}})", R"({"a": 1, "b": "${{ 1 }}"})", false},
      {R"({"not": {"required": ["a"]}})", R"({"b": 1})", true},
      {R"({"not": {"properties": {"a": {"const": 1}}}})", R"({"a": "${{ 1 }}"})", true},
      {R"({"not": {"not": {"type": "integer"}}})", "\"a\"", false},
      {R"({"not": {"oneOf": [{"type": "integer"}, {"const": 1}]}})", "1", true},
      {R"({"not": {"oneOf": [{"type": "integer"}, {"const": 1}]}})", "2", false},
      {R"({"if": {"required": ["a"]}, "then": {"required": ["c"]}})", R"({"a": "${{ 1 }}"})", false},
      {R"({"if": {"required": ["a"]}, "else": {"required": ["c"]}})", R"({"b": "${{ 1 }}"})", false},
      {R"({"properties": {"a": {"if": {"const": 1}, "then": false}}})", R"({"a": "${{ 1 }}"})", true},
      {R"({"if": {"const": 1}, "then": false, "else": {"const": 2}})", "3", false},
      {R"({"properties": {"a": false}})", R"({"a": "${{ 1 }}"})", false},
      {R"({"items": {"$ref": "#"}, "type": ["array", "null"]})", "[[null, []], 1]", false},
      {R"({"items": {"$ref": "#"}, "type": ["array", "null"]})", "[[null, []], \"${{ 1 }}\"]", true},
      {R"({"properties": {"env": {"$ref": "#/definitions/env"}},
           "definitions": {"env": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$"}}}})",
       R"({"env": {"HOME": "a"}})", true},
      {R"({"properties": {"env": {"$ref": "#/definitions/env"}},
           "definitions": {"env": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$"}}}})",
       R"({"env": {"home": "${{ 1 }}"}})", false},
      {R"({"items": {"$ref": "#/definitions/tree"}, "definitions": {"tree": {
           "type": "object", "propertyNames": {"maxLength": 1}, "additionalProperties": {"$ref": "#/definitions/tree"}}}})",
       R"([{"a": {"b": {"c": {}}}}])", true},
  };
  for (const Case& example : kCases) {
    const json schema = json::parse(example.schema);
    const json value = json::parse(example.value);
    EXPECT_EQ(ExplainerTakes(schema, value), example.fits) << example.schema << " explains " << example.value;
    EXPECT_EQ(ValijsonTakes(schema, value), example.fits) << example.schema << " with " << example.value;
  }
}

TEST(SchemaFormTest, AnExpressionMayBecomeWhateverFits) {
  const json schema = json::parse(R"({"type": "object", "properties": {
      "a": {"const": 1}, "b": {"enum": [1, 2]}, "c": {"type": "integer"}, "d": {"pattern": "^x$"},
      "e": {"type": "array", "uniqueItems": true, "items": {"type": "integer"}, "contains": {"const": 3}},
      "f": {"not": {"const": "x"}}, "g": {"oneOf": [{"const": 1}, {"type": "integer"}]},
      "h": {"if": {"const": 1}, "then": false}, "i": {"not": {"uniqueItems": true}}}})");
  const json value = json::parse(R"({"a": "${{ 1 }}", "b": "${{ 1 }}", "c": "${{ 1 }}", "d": "${{ 1 }}",
      "e": ["${{ 1 }}", "${{ 2 }}"], "f": "${{ 1 }}", "g": "${{ 1 }}", "h": "${{ 1 }}", "i": ["${{ 1 }}", 1]})");
  EXPECT_TRUE(ExplainerTakes(schema, value));
  EXPECT_TRUE(ValijsonTakes(schema, value));
}

TEST(SchemaFormTest, LongTextsMeetNoPattern) {
  EXPECT_TRUE(ValijsonTakes(json::parse(R"({"pattern": "^(a|b)*$"})"), std::string(1 << 20, 'a')));
}

}  // namespace
}  // namespace cosmos
