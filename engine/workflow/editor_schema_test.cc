#include "workflow/editor_schema.h"

#include <gtest/gtest.h>

#include <string>

namespace cosmos {
namespace {

using nlohmann::json;

struct Case {
  const char* schema;
  const char* form;
};

void ExpectForms(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    json form = EditorSchema(json::parse(c.schema));
    if (form.is_object()) form.erase("$schema");
    EXPECT_EQ(form, json::parse(c.form)) << c.schema;
  }
}

TEST(EditorSchemaTest, AnExpressionStandsForAnythingWhereItIsAllowed) {
  ExpectForms({
      {R"({"type": "integer", "minimum": 1})",
       R"({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "\\$\\{\\{"}]})"},
      {R"({"type": "integer", "x-expressions": false})", R"({"type": "integer"})"},
      {R"({"type": "array", "items": {"type": "null"}, "x-expressions": false})",
       R"({"type": "array", "items": {"type": "null"}})"},
      {R"({"x-expressions": false, "type": "object", "propertyNames": {"type": "string", "minLength": 2}})",
       R"({"type": "object", "propertyNames": {"type": "string", "minLength": 2}})"},
      {R"({"x-expressions": false, "description": "any"})",
       R"({"description": "any", "not": {"type": "string", "pattern": "\\$\\{\\{"}})"},
  });
}

TEST(EditorSchemaTest, ATextMayBeWrittenAsANumber) {
  ExpectForms({
      {R"({"type": "string"})", R"({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]})"},
      {R"({"enum": ["off", "1"], "x-expressions": false})", R"({"enum": ["off", "1", 1]})"},
      {R"({"type": "string", "pattern": "^[a-z]+$", "x-expressions": false})",
       R"({"anyOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"type": "boolean"}]})"},
      {R"({"type": ["string", "integer"], "pattern": "^[0-9]+$", "x-expressions": false})",
       R"({"anyOf": [{"type": "string", "pattern": "^[0-9]+$"}, {"type": "integer"}]})"},
      {R"({"type": ["number", "string"], "pattern": "^a?[0-9]+$", "x-expressions": false})",
       R"({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^a?[0-9]+$"}]})"},
      {R"({"type": "string", "pattern": ":", "x-expressions": false})", R"({"type": "string", "pattern": ":"})"},
  });
}

TEST(EditorSchemaTest, KeysWithADefaultMayBeAbsent) {
  const json form = EditorSchema(json::parse(R"({"type": "object", "x-expressions": false, "required": ["a", "b"],
    "properties": {"a": {"type": "null", "default": null}, "b": {"type": "null"}, "c": {"enum": [1, 2], "default": 1}},
    "if": {"properties": {"c": {"const": 2}}, "required": ["c"]}, "then": {"required": ["d"]}})"));
  EXPECT_EQ(form["required"], json({"b"}));
  EXPECT_EQ(form["allOf"][0]["if"]["required"], json({"c"}));
  EXPECT_EQ(form["allOf"][0]["then"], json::parse(R"({"required": ["d"], "properties": {"d": true}})"));
}

TEST(EditorSchemaTest, AChoiceBecomesConditions) {
  const json form = EditorSchema(json::parse(R"({"type": "object", "x-expressions": false,
    "properties": {"model": {"enum": ["x", "y"], "default": "x", "description": "which"}},
    "discriminator": {"propertyName": "model"},
    "oneOf": [{"properties": {"model": {"const": "x"}}}, {"properties": {"model": {"const": "y"}}, "required": ["z"]}]})"));
  ASSERT_EQ(form["allOf"].size(), 2u);
  EXPECT_EQ(form["allOf"][0]["if"], json::parse(R"({"properties": {"model": {"const": "x"}}})"));
  EXPECT_EQ(form["allOf"][1]["if"], json::parse(R"({"properties": {"model": {"const": "y"}}, "required": ["model"]})"));
  EXPECT_EQ(form["allOf"][1]["then"]["required"][0], "z");
  EXPECT_EQ(form["allOf"][1]["then"]["properties"]["model"]["description"], "which");
}

// What `not` forbids is not known as long as there is an expression.
TEST(EditorSchemaTest, AnExpressionIsNotForbiddenByWhatItMayBecome) {
  const json form =
      EditorSchema(json::parse(R"({"not": {"properties": {"a": {"type": "string"}}, "required": ["a"]}})"));
  const json& member = form["anyOf"][0]["not"]["anyOf"][0]["properties"]["a"];
  EXPECT_EQ(member["not"], json::parse(R"({"type": "string", "pattern": "\\$\\{\\{"})"));
}

TEST(EditorSchemaTest, FollowsReferencesAlsoToThemselves) {
  const json form = EditorSchema(json::parse(R"({"$ref": "#/definitions/tree", "definitions": {"tree": {
    "type": "array", "items": {"$ref": "#/definitions/tree"}, "description": "a tree"}}})"));
  EXPECT_EQ(form["$ref"], "#/definitions/tree");
  EXPECT_EQ(form["definitions"]["tree"]["description"], "a tree");
  EXPECT_EQ(form["definitions"]["tree"]["anyOf"][0]["items"]["$ref"], "#/definitions/tree");
}

TEST(EditorSchemaTest, LeavesOutWhatOnlyTheEngineKnows) {
  ExpectForms({
      {"true", "true"},
      {"{}", "{}"},
      {R"({"x-hint": "h", "title": "t"})", R"({"title": "t"})"},
      {R"({"type": "integer", "format": "input-file", "x-expressions": false})", R"({"type": "integer"})"},
      {R"({"minimum": 3, "x-expressions": false, "enum": [1]})",
       R"({"enum": [1], "anyOf": [{"type": "number", "minimum": 3}, {"not": {"type": "number"}}]})"},
  });
}

}  // namespace
}  // namespace cosmos
