#include "workflow/schema_texts.h"

#include "workflow/schema_checker.h"
#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json Kept(const char* schema, const std::string& text) {
  YamlDocument document = YamlDocument::Parse(text, "w.yaml");
  KeepTexts(json::parse(schema), document.root(), document.mutable_value());
  return document.value();
}

TEST(SchemaTextsTest, WhoWantsATextGetsItAsItIsWritten) {
  const char* schema = R"({"additionalProperties": {"type": "string"}})";
  EXPECT_EQ(Kept(schema, "{a: 0010, b: 1.10, c: 25, d: True, e: 0x1F, f: +1, g: 1e3, h: x, i: '7'}"),
            json({{"a", "0010"},
                  {"b", "1.10"},
                  {"c", "25"},
                  {"d", "True"},
                  {"e", "0x1F"},
                  {"f", "+1"},
                  {"g", "1e3"},
                  {"h", "x"},
                  {"i", "7"}}));
  EXPECT_EQ(Kept(R"({"items": {"type": ["string", "null"]}})", "[1.0, null, &a 2.50, *a]"),
            json({"1.0", nullptr, "2.50", "2.50"}));
  EXPECT_EQ(Kept(R"({"items": {"enum": ["720", "1080"]}})", "[720, 1080, 480]"), json({"720", "1080", 480}));
  EXPECT_EQ(Kept(R"({"x-text": true, "type": ["string", "number"]})", "1.10"), "1.10");
}

TEST(SchemaTextsTest, WhereANumberFitsItStaysOne) {
  EXPECT_EQ(Kept(R"({"items": {"type": ["string", "number"]}})", "[1.10, true]"), json({1.1, "true"}));
  EXPECT_EQ(Kept(R"({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "x"}]})", "10"), 10);
  EXPECT_EQ(Kept(R"({"description": "anything"})", "10"), 10);
}

TEST(SchemaTextsTest, HoldsForAllOfAWorkflow) {
  const Plan plan = PlanOf(
      "version: 1\nname: 007\nprompt_name: 1.50\n"
      "params: {shot: {type: string, default: 0010}, take: {type: string, enum: [1.0, 2.0], default: 2.0}}\n"
      "env: {SHOT: 0010, RATIO: 1.10, ON: True}\n"
      "stages:\n"
      "  a: {uses: prompt-enhancement, with: {prompt: 25, style: 1.10}}\n"
      "  b: {uses: shell, with: {argv: [echo, 0010, 1.10, true]}, matrix: {shot: [0010, 0020]}}\n"
      "  c: {uses: shell, with: {run: '${{ params.shot }} ${{ params.take }}'}}\n"
      "on_exit: [{uses: shell, with: {argv: [1.0]}}]\n");
  EXPECT_EQ(plan.name, "007");
  EXPECT_EQ(plan.prompt_name, "1.50");
  ASSERT_EQ(plan.instances.size(), 4u);
  EXPECT_EQ(plan.instances[0].with, json({{"prompt", "25"}, {"style", "1.10"}}));
  EXPECT_EQ(plan.instances[0].env, json({{"SHOT", "0010"}, {"RATIO", "1.10"}, {"ON", "True"}}));
  EXPECT_EQ(plan.instances[1].instance, "0010");
  EXPECT_EQ(plan.instances[1].with["argv"], json({"echo", "0010", "1.10", "true"}));
  EXPECT_EQ(plan.instances[3].with["run"], "0010 2.0");
  EXPECT_EQ(plan.on_exit[0].with["argv"], json({"1.0"}));
}

TEST(SchemaTextsTest, WhatAnExpressionBecomesIsATextWhereOneIsWanted) {
  const Plan plan = PlanOf(
      "version: 1\nparams: {n: {type: integer, default: 7}}\n"
      "stages: {a: {uses: shell, with: {argv: [echo, '${{ params.n }}', '${{ matrix.m }}']}, matrix: {m: [1, "
      "true]}}}\n");
  EXPECT_EQ(plan.instances[0].with["argv"], json({"echo", "7", "1"}));
  EXPECT_EQ(plan.instances[1].with["argv"], json({"echo", "7", "true"}));
  EXPECT_EQ(SchemaChecker(json::parse(R"({"properties": {"a": {"type": "string"}}})")).Checked({{"a", 1.5}}),
            json({{"a", "1.5"}}));
}

TEST(SchemaTextsTest, ANumberWithZerosInFrontIsExplained) {
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: noop, resources: {gpus: 01}}}\n"),
              ElementsAre(HasSubstr("expected an integer, found the text '01'; write it without zeros in front: 1")));
}

}  // namespace
}  // namespace cosmos
