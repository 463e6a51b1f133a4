#include "workflow/schema_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "workflow/workflow_schema.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ProblemsOf(const std::string& schema, const json& value, Texts texts = Texts::kPlain) {
  std::vector<std::string> texts_of;
  for (const SchemaProblem& problem : SchemaChecker(json::parse(schema)).Check(value, texts)) {
    texts_of.push_back(problem.message + (problem.hint.empty() ? "" : "; " + problem.hint));
  }
  return texts_of;
}

TEST(SchemaCheckerTest, SaysFoundExpectedAndFix) {
  const std::string schema = R"({
    "type": "object", "additionalProperties": false, "required": ["model"],
    "properties": {
      "model": {"enum": ["playblast", "transfer"], "description": "What makes the video."},
      "seed": {"type": "integer", "minimum": 0, "maximum": 10},
      "weight": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
      "name": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]*$"},
      "list": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"type": "string"}},
      "wait": {"type": ["string", "number"], "format": "duration"},
      "width": {"type": "integer", "multipleOf": 2},
      "flag": {"type": "boolean"},
      "fixed": {"const": 1}
    }})";
  const auto problems = [&](json value) {
    if (!value.contains("model")) value["model"] = "transfer";
    return ProblemsOf(schema, value);
  };
  EXPECT_THAT(
      ProblemsOf(schema, json::object()),
      ElementsAre("missing key 'model' in the parameters; add it, one of playblast, transfer: What makes the video."));
  EXPECT_THAT(problems({{"other", 1}}),
              ElementsAre("unknown key 'other' in the parameters; expected one of fixed, flag, "
                          "list, name, seed, wait, weight, width"));
  EXPECT_THAT(problems({{"modle", 1}, {"sed", 1}}),
              ElementsAre("unknown key 'modle' in the parameters; did you mean 'model'?",
                          "unknown key 'sed' in the parameters; did you mean 'seed'?"));
  EXPECT_THAT(problems({{"model", "playblst"}}),
              ElementsAre("'model': found the text 'playblst', which is none of the values known here; did you mean "
                          "'playblast'?"));
  EXPECT_THAT(problems({{"seed", "abc"}}),
              ElementsAre("'seed': expected an integer, found the text 'abc'; write an integer, such as 3"));
  EXPECT_THAT(problems({{"seed", "7"}}),
              ElementsAre("'seed': expected an integer, found the text '7'; remove the quotes"));
  EXPECT_THAT(problems({{"seed", 1.5}}),
              ElementsAre("'seed': expected an integer, found the number 1.5; write an integer, such as 3"));
  EXPECT_THAT(problems({{"seed", -1}}), ElementsAre("'seed': expected at least 0, found -1; raise it"));
  EXPECT_THAT(problems({{"seed", 11}}), ElementsAre("'seed': expected at most 10, found 11; lower it"));
  EXPECT_THAT(problems({{"weight", 0}}), ElementsAre("'weight': expected more than 0, found 0; raise it"));
  EXPECT_THAT(problems({{"weight", 1}}), ElementsAre("'weight': expected less than 1, found 1; lower it"));
  EXPECT_THAT(problems({{"name", 7}}),
              ElementsAre("'name': expected a text, found the integer 7; write it in quotes: \"7\""));
  EXPECT_THAT(problems({{"name", ""}}), ElementsAre("'name': the text is empty; write a text"));
  EXPECT_THAT(problems({{"name", "äöüß"}}),
              ElementsAre("'name': the text has 4 characters, expected at most 3; shorten it",
                          "'name': found the text 'äöüß', expected a text that matches "
                          "^[a-z]*$; write it in that form"));
  EXPECT_THAT(problems({{"list", "a"}}),
              ElementsAre("'list': expected a list, found the text 'a'; write it as a list: [a]"));
  EXPECT_THAT(problems({{"list", json::array()}}), ElementsAre("'list': the list is empty; add one"));
  EXPECT_THAT(problems({{"list", {"a", 2, "a"}}}),
              ElementsAre("'list': expected at most 2 elements; remove some",
                          "'list[1]': expected a text, found the integer 2; write it in quotes: \"2\"",
                          "'list': the text 'a' stands in the list twice; remove one of them"));
  EXPECT_THAT(problems({{"wait", "soon"}}), ElementsAre(HasSubstr("'wait': 'soon' is not a duration; write a number")));
  EXPECT_THAT(problems({{"wait", 3}, {"width", 4}, {"flag", true}, {"fixed", 1}}), IsEmpty());
  EXPECT_THAT(problems({{"width", 3}}), ElementsAre("'width': expected a multiple of 2, found 3; round it"));
  EXPECT_THAT(problems({{"flag", "yes"}}),
              ElementsAre("'flag': expected true or false, found the text 'yes'; write true or false, without quotes"));
  EXPECT_THAT(problems({{"fixed", nullptr}}), ElementsAre("'fixed': expected 1, found nothing; write 1"));
}

TEST(SchemaCheckerTest, ExplainsTheBranchThatWasMeant) {
  const std::string schema = R"({"properties": {"control": {"oneOf": [
      {"type": "string"},
      {"type": "object", "required": ["video"], "additionalProperties": false,
       "properties": {"video": {"type": "string"}, "weight": {"type": "number"}}}]},
    "shape": {"anyOf": [
      {"properties": {"kind": {"const": "box"}, "size": {"type": "integer"}}, "required": ["kind"]},
      {"properties": {"kind": {"const": "ball"}, "radius": {"type": "integer"}}, "required": ["kind", "radius"]}]}}})";
  EXPECT_THAT(ProblemsOf(schema, {{"control", 3}}),
              ElementsAre("'control': expected a text or an object, found the integer 3; write it in quotes: \"3\""));
  EXPECT_THAT(ProblemsOf(schema, {{"control", {{"video", "v"}, {"weight", "x"}}}}),
              ElementsAre("'control.weight': expected a number, found the text 'x'; write a number, such as 0.5"));
  EXPECT_THAT(ProblemsOf(schema, {{"shape", {{"kind", "box"}, {"size", "x"}}}}),
              ElementsAre("'shape.size': expected an integer, found the text 'x'; write an integer, such as 3"));
  EXPECT_THAT(ProblemsOf(schema, {{"control", "v"}, {"shape", {{"kind", "box"}}}}), IsEmpty());
}

constexpr const char* kModels = R"({
  "type": "object", "required": ["model"],
  "properties": {"model": {"enum": ["ball", "box"], "default": "box"}},
  "discriminator": {"propertyName": "model"},
  "oneOf": [
    {"properties": {"model": {"const": "ball"}, "radius": {"type": "integer", "default": 3},
                    "ink": {"properties": {"tone": {"type": "integer"}}, "additionalProperties": false}},
     "additionalProperties": false},
    {"properties": {"model": {"const": "box"}, "size": {"type": "integer", "default": 5}},
     "required": ["size"], "additionalProperties": false}]})";

TEST(SchemaCheckerTest, ADiscriminatorChoosesTheBranch) {
  const auto problems = [](const json& value) { return ProblemsOf(kModels, value, Texts::kTemplates); };
  EXPECT_THAT(problems({{"model", "ball"}, {"radius", 3}}), IsEmpty());
  EXPECT_THAT(problems({{"model", "ball"}, {"radius", "x"}}),
              ElementsAre("'radius': expected an integer, found the text 'x'; write an integer, such as 3"));
  EXPECT_THAT(problems({{"model", "box"}, {"size", 1}, {"radius", 3}}),
              ElementsAre("'radius' is no key of model 'box'; remove it; it is one of model ball"));
  EXPECT_THAT(problems({{"model", "ball"}, {"radios", 3}}),
              ElementsAre("unknown key 'radios' in the parameters; did you mean 'radius'?"));
  EXPECT_THAT(problems({{"model", "ball"}, {"ink", {{"size", 3}}}}),
              ElementsAre("unknown key 'size' in 'ink'; expected one of tone"));
  EXPECT_THAT(problems({{"model", "bal"}, {"radius", "x"}}),
              ElementsAre("'model': found the text 'bal', which is none of the values known here; did you mean "
                          "'ball'?"));
  EXPECT_THAT(problems({{"radius", 3}}),
              ElementsAre("missing key 'model' in the parameters; add it, one of ball, box"));
  EXPECT_THAT(problems({{"model", "${{ params.model }}"}, {"radius", 3}}), IsEmpty());
  EXPECT_THAT(problems({{"model", "${{ params.model }}"}, {"radius", "x"}}),  // wrong for every model
              ElementsAre("'radius': expected an integer, found the text 'x'; write an integer, such as 3"));
}

TEST(SchemaCheckerTest, FillsInTheDefaultsOfTheChosenBranch) {
  const SchemaChecker checker(json::parse(kModels));
  EXPECT_EQ(checker.Checked(json::object()), json({{"model", "box"}, {"size", 5}}));
  EXPECT_EQ(checker.Checked({{"model", "ball"}}), json({{"model", "ball"}, {"radius", 3}}));
}

TEST(SchemaCheckerTest, ExplainsAChoiceOfKeys) {
  const std::string schema = R"({"type": "object", "oneOf": [{"required": ["run"]}, {"required": ["argv"]}]})";
  EXPECT_THAT(ProblemsOf(schema, json::object()),
              ElementsAre("the parameters: expected one of the keys run, argv; add one of them"));
  EXPECT_THAT(ProblemsOf(schema, {{"run", 1}, {"argv", 2}}),
              ElementsAre("the parameters: found 'run' and 'argv', expected one; remove all but one of them"));
  EXPECT_THAT(ProblemsOf(schema, {{"run", 1}}), IsEmpty());
}

TEST(SchemaCheckerTest, FollowsConditionsReferencesAndNegations) {
  const std::string schema = R"({
    "definitions": {"positive": {"type": "integer", "minimum": 1}},
    "properties": {"a": {"$ref": "#/definitions/positive"}, "b": {"not": {"type": "null"}}, "gone": false},
    "if": {"required": ["c"]}, "then": {"required": ["d"]}})";
  EXPECT_THAT(ProblemsOf(schema, {{"a", 0}}), ElementsAre("'a': expected at least 1, found 0; raise it"));
  EXPECT_THAT(ProblemsOf(schema, {{"b", nullptr}}),
              ElementsAre("'b': found nothing, which is not allowed here; write something else"));
  EXPECT_THAT(ProblemsOf(schema, {{"c", 1}}), ElementsAre("missing key 'd' in the parameters; add it"));
  EXPECT_THAT(ProblemsOf(schema, {{"gone", 1}}),
              ElementsAre("'gone': found the integer 1, expected nothing here; remove it"));
}

TEST(SchemaCheckerTest, ExplainsTheRareKeywords) {
  EXPECT_THAT(ProblemsOf(R"({"properties": {"l": {"contains": {"const": 1}}}})", {{"l", {2, 3}}}),
              ElementsAre("'l': no element of the list is 1; add it"));
  EXPECT_THAT(ProblemsOf(R"({"contains": {"type": "null"}})", json::array()),
              ElementsAre("the parameters: no element of the list is of the form that one must have; add such an "
                          "element"));
  EXPECT_THAT(ProblemsOf(R"({"dependencies": {"a": ["b"]}})", {{"a", 1}}),
              ElementsAre("missing key 'b' in the parameters; add it, as 'a' needs it; or remove 'a'"));
  EXPECT_THAT(ProblemsOf(R"({"maxProperties": 1})", {{"a", 1}, {"b", 1}}),
              ElementsAre("the parameters: expected at most 1 entries, found 2; remove some"));
  EXPECT_THAT(ProblemsOf(R"({"properties": {"l": {"items": [true], "additionalItems": false}}})", {{"l", {1, 2}}}),
              ElementsAre("'l[1]': found the integer 2, expected nothing here; remove it"));
  EXPECT_THAT(ProblemsOf(R"({"multipleOf": 0.25})", 0.3),
              ElementsAre("the parameters: expected a multiple of 0.25, found 0.3; round it"));
  EXPECT_THAT(ProblemsOf(R"({"format": "duration"})", 1e300), ElementsAre(HasSubstr("'1e+300' is not a duration")));
}

// They take everything or nothing, and have no words for messages.
TEST(SchemaCheckerTest, SchemasMayBeBooleans) {
  EXPECT_THAT(ProblemsOf(R"({"required": ["a"], "properties": {"a": true}})", json::object()),
              ElementsAre("missing key 'a' in the parameters; add it"));
  EXPECT_THAT(ProblemsOf(R"({"propertyNames": false})", {{"a", 1}}),
              ElementsAre("'a' in the parameters is not a usable name; write another name"));
  EXPECT_THAT(ProblemsOf(R"({"discriminator": {"propertyName": "a"}, "oneOf": [false, {"additionalProperties": false,
                            "properties": {"a": {"const": "x"}}}]})",
                         {{"a", "x"}, {"other", 1}}),
              ElementsAre("unknown key 'other' in the parameters; remove it"));
}

TEST(SchemaCheckerTest, TakesAFormatOfValuesThatAreNoText) {
  const std::string schema = R"({"properties": {
    "input": {"type": ["string", "array"], "format": "input-file", "items": {"type": "string", "format": "input-file"}},
    "format": {"type": "string"}}})";
  EXPECT_THAT(ProblemsOf(schema, {{"input", {"a", "b"}}, {"format", "png"}}), IsEmpty());
  EXPECT_THAT(ProblemsOf(schema, {{"input", "a"}}), IsEmpty());
  EXPECT_THAT(ProblemsOf(schema, {{"format", 1}}), testing::SizeIs(1));
}

TEST(SchemaCheckerTest, TemplatesMayStandForAnything) {
  const std::string schema = R"({"type": "object", "properties": {
    "n": {"type": "integer", "minimum": 1}, "static": {"type": "string", "x-expressions": false},
    "choice": {"oneOf": [{"type": "integer"}, {"type": "object", "properties": {"x": {"type": "integer"}}}]}}})";
  const json value = {{"n", "${{ params.n }}"}, {"choice", {{"x", "${{ params.n }}"}}}};
  EXPECT_THAT(ProblemsOf(schema, value, Texts::kTemplates), IsEmpty());
  EXPECT_THAT(ProblemsOf(schema, value), testing::SizeIs(2));
  EXPECT_THAT(ProblemsOf(schema, {{"n", "$${{ params.n }}"}}, Texts::kTemplates), testing::SizeIs(1));
  EXPECT_THAT(ProblemsOf(schema, {{"static", "a ${{ params.n }}"}}, Texts::kTemplates),
              ElementsAre("'static': an expression cannot stand here; write the value itself"));
  // Plain texts are what they are.
  EXPECT_THAT(ProblemsOf(schema, {{"static", "a ${{ params.n }}"}}), IsEmpty());
}

TEST(SchemaCheckerTest, AReferenceToAReferenceKeepsWhatEachSays) {
  const std::string schema = R"({"x-expressions": false,
    "definitions": {"time": {"type": "number"}, "timeout": {"$ref": "#/definitions/time", "x-expressions": true}},
    "properties": {"timeout": {"$ref": "#/definitions/timeout"}, "time": {"$ref": "#/definitions/time"}}})";
  EXPECT_THAT(ProblemsOf(schema, {{"timeout", "${{ params.t }}"}}, Texts::kTemplates), IsEmpty());
  EXPECT_THAT(ProblemsOf(schema, {{"time", "${{ params.t }}"}}, Texts::kTemplates),
              ElementsAre("'time': an expression cannot stand here; write the value itself"));
}

TEST(SchemaCheckerTest, AConditionOnAnExpressionWaitsForItsValue) {
  const char* schema = R"({
    "type": "object",
    "if": {"properties": {"launcher": {"not": {"enum": ["local"]}}}, "required": ["launcher"]},
    "then": {"required": ["server"]},
    "else": {"not": {"required": ["server"]}}
  })";
  const auto problems = [&](const json& value) { return ProblemsOf(schema, value, Texts::kTemplates); };
  EXPECT_THAT(problems({{"launcher", "${{ params.l }}"}}), IsEmpty());
  EXPECT_THAT(problems({{"launcher", "${{ params.l }}"}, {"server", "s"}}), IsEmpty());
  EXPECT_THAT(problems({{"launcher", "http"}, {"prompt", "${{ params.p }}"}}), testing::SizeIs(1));
  EXPECT_THAT(problems({{"launcher", "local"}, {"server", "${{ params.s }}"}}), testing::SizeIs(1));
  EXPECT_THAT(ProblemsOf(schema, {{"launcher", "http"}}, Texts::kPlain), testing::SizeIs(1));
}

TEST(SchemaCheckerTest, FillsInDefaults) {
  const SchemaChecker checker(json::parse(R"({"type": "object", "properties": {
    "a": {"default": 1},
    "text": {"default": "${{ x }}"},
    "inner": {"type": "object", "default": {}, "properties": {"b": {"default": [2]}}},
    "list": {"items": {"properties": {"c": {"default": 3}}}}}})"));
  EXPECT_EQ(checker.Checked(json{{"list", {json::object(), {{"c", 4}}}}}),
            json({{"a", 1}, {"text", "${{ x }}"}, {"inner", {{"b", {2}}}}, {"list", {{{"c", 3}}, {{"c", 4}}}}}));
  EXPECT_EQ(checker.Checked(nullptr)["a"], 1);
  EXPECT_EQ(checker.WithDefaults(json::object(), Texts::kTemplates)["text"], "$${{ x }}");
}

TEST(SchemaCheckerTest, CheckedThrowsEverythingThatIsWrong) {
  const SchemaChecker checker(json::parse(R"({"properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}})"));
  try {
    checker.Checked({{"a", "1"}, {"b", 0}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.message(),
              "'a': expected an integer, found the text '1'; 'b': expected true or false, found the integer 0");
    EXPECT_EQ(error.hint(), "remove the quotes");
  }
}

TEST(SchemaCheckerTest, RefusesWhatIsNoSchema) {
  const auto refusal = [](const char* schema) -> std::string {
    try {
      SchemaChecker checker(json::parse(schema));
      return "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.message() + "; " + error.hint();
    }
  };
  EXPECT_EQ(
      refusal(R"({"type": 7})"),
      "this is no JSON Schema: 'type': found the integer 7, which is none of the values known here; expected one of "
      "array, boolean, integer, null, number, object, string");
  EXPECT_EQ(
      refusal(R"({"properties": {"seed": {"type": "integr"}}})"),
      "this is no JSON Schema: 'properties.seed.type': found the text 'integr', which is none of the values known "
      "here; did you mean 'integer'?");
  EXPECT_EQ(refusal(R"({"properties": []})"),
            "this is no JSON Schema: 'properties': expected an object, found a list; write an object, such as {key: "
            "value}");
  EXPECT_EQ(refusal(R"({"minLength": -1})"),
            "this is no JSON Schema: 'minLength': expected at least 0, found -1; raise it");
  EXPECT_EQ(refusal(R"({"pattern": "[a-"})"),
            "this is no JSON Schema: 'pattern': the text '[a-' is not a regular expression; correct it");
  EXPECT_THAT(refusal(R"({"patternProperties": {"(": {}}})"), HasSubstr("'('"));
  EXPECT_EQ(refusal(R"({"$ref": "other.json"})"),
            "this is no JSON Schema: '$ref': found the text 'other.json'; refer to a place in the same schema, such as "
            "#/definitions/video");
  EXPECT_THAT(SchemaChecker(nullptr).Check({{"a", 1}}, Texts::kPlain), IsEmpty());
}

TEST(SchemaCheckerTest, ServesThreads) {
  const SchemaChecker checker(json::parse(R"({"properties": {"a": {"pattern": "^x+$"}}})"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(checker.Check({{"a", "xx"}}, Texts::kPlain).size(), 0u);
        EXPECT_EQ(checker.Check({{"a", "y"}}, Texts::kPlain).size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(WorkflowSchemaTest, SchemasAreSchemas) {
  EXPECT_NO_THROW(SchemaChecker(json::parse(WorkflowSchema())));
  EXPECT_NO_THROW(SchemaChecker(json::parse(ConfigSchema())));
  EXPECT_NO_THROW(SchemaChecker(DefinitionSchema("stage")));
}

}  // namespace
}  // namespace cosmos
