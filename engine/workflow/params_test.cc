#include "workflow/params.h"

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;

constexpr const char* kDeclarations = R"yaml(version: 1
params:
  text: {type: string, default: abc}
  seed: {type: integer, minimum: 0, maximum: 100, default: 1}
  weight: {type: number, default: 1}
  fast: {type: boolean, default: false}
  seeds: {type: array, items: {type: integer}, default: []}
  names: {type: array, default: []}
  more: {type: object, default: {}}
  clip: {type: path, default: a.mp4}
  look: {type: string, enum: [day, night], default: day}
stages: {a: {uses: noop}}
)yaml";

json ParamsWith(const std::vector<std::string>& overrides, const std::string& file = "") {
  CheckInput input = InputOf(kDeclarations);
  input.params.overrides = overrides;
  input.params.file = file.empty() ? "" : "p.yaml";
  input.params.text = file;
  return PlanOf(input).params;
}

std::vector<std::string> FindingsWith(const std::vector<std::string>& overrides, const std::string& file = "") {
  CheckInput input = InputOf(kDeclarations);
  input.params.overrides = overrides;
  input.params.file = file.empty() ? "" : "p.yaml";
  input.params.text = file;
  return FindingsOf(input);
}

TEST(ParamsTest, OverridesAreReadByTheDeclaredType) {
  const json params = ParamsWith({"text=12", "seed=42", "weight=0.5", "fast=true", "seeds=1,2,3", "names=a,2,true",
                                  "more={\"a\": [1]}", "clip=x=y.mp4", "look=night"});
  EXPECT_EQ(params, json({{"text", "12"},
                          {"seed", 42},
                          {"weight", 0.5},
                          {"fast", true},
                          {"seeds", {1, 2, 3}},
                          {"names", {"a", 2, true}},
                          {"more", {{"a", {1}}}},
                          {"clip", "x=y.mp4"},
                          {"look", "night"}}));
  EXPECT_EQ(ParamsWith({"seeds=[4, 5]"})["seeds"], json({4, 5}));
  EXPECT_EQ(ParamsWith({"seeds="})["seeds"], json::array());
  EXPECT_EQ(ParamsWith({"text="})["text"], "");
  EXPECT_EQ(ParamsWith({"seed=1", "seed=2"})["seed"], 2);
}

TEST(ParamsTest, WhatComesLaterWins) {
  EXPECT_EQ(ParamsWith({}, "seed: 5\n")["seed"], 5);
  EXPECT_EQ(ParamsWith({}, "{\"text\": \"\\ud83c\\udf03\"}")["text"], "🌃");
  EXPECT_EQ(ParamsWith({"seed=6"}, "seed: 5\ntext: x\n")["seed"], 6);
}

TEST(ParamsTest, TellsOfValuesThatDoNotFit) {
  EXPECT_THAT(
      FindingsWith({"sed=1", "seed=abc", "seed=101", "fast=yes", "seeds=1,x", "more=x", "look=dusk", "novalue"}),
      ElementsAre(
          "-p sed=1: the workflow has no param 'sed'; did you mean 'seed'?",
          "-p seed=abc: param 'seed': expected an integer, found the text 'abc'; write an integer, such as 3",
          "-p seed=101: param 'seed': expected at most 100, found 101; lower it",
          "-p fast=yes: param 'fast': expected true or false, found the text 'yes'; write true or false, "
          "without quotes",
          "-p seeds=1,x: '[1]' of param 'seeds': expected an integer, found the text 'x'; write an integer, such as 3",
          "-p more=x: param 'more': expected an object, found the text 'x'; write an object, such as {key: value}",
          "-p look=dusk: param 'look': found the text 'dusk', which is none of the values known here; "
          "expected one of day, night",
          "-p novalue: expected NAME=VALUE; write -p NAME=VALUE"));
  EXPECT_THAT(
      FindingsWith({}, "seed: x\nsedes: 1\n"),
      ElementsAre("p.yaml:1:7: param 'seed': expected an integer, found the text 'x'; write an integer, such as 3",
                  "p.yaml:2:1: the workflow has no param 'sedes'; did you mean 'seeds'?"));
  EXPECT_THAT(FindingsWith({}, "- 1\n"),
              ElementsAre("p.yaml:1:1: expected an object with values of params; write NAME: VALUE"));
}

TEST(ParamsTest, AParamWithoutDefaultMustBeGiven) {
  CheckInput input = InputOf("version: 1\nparams: {p: {type: string}}\nstages: {a: {uses: noop}}\n");
  EXPECT_THAT(FindingsOf(input),
              ElementsAre("w.yaml:2:10: param 'p' has no value; give it with -p p=VALUE, or write a default"));
  input.params.overrides = {"p=x"};
  EXPECT_EQ(PlanOf(input).params, json({{"p", "x"}}));
}

TEST(ParamsTest, SurvivesDeclarationsThatAreNone) {
  EXPECT_THAT(
      FindingsOf("version: 1\nparams:\n  a: {type: , default: x, enum: 3, minimum: y}\n  b: {type: array, items: 1, "
                 "default: [1]}\n  c: [1]\nstages: {a: {uses: noop}}\n"),
      testing::SizeIs(5));
  CheckInput input = InputOf(kDeclarations);
  input.params.overrides = {"text=\xff"};
  EXPECT_THAT(FindingsOf(input), ElementsAre("-p text=\xEF\xBF\xBD: the text is not UTF-8; give it in UTF-8"));
}

TEST(ParamsTest, ChecksDeclarations) {
  EXPECT_THAT(
      FindingsOf("version: 1\nparams:\n  a: {type: strng}\n  b: {type: integer, default: 1.5}\n  c d: {type: path}\n"
                 "stages: {a: {uses: noop}}\n"),
      ElementsAre(
          "w.yaml:3:3: param 'a' has no value; give it with -p a=VALUE, or write a default",
          "w.yaml:3:13: 'type' of param 'a': found the text 'strng', which is none of the values known here; "
          "did you mean 'string'?",
          "w.yaml:4:31: 'default' of param 'b': expected an integer, found the number 1.5; write an integer, such as 3",
          "w.yaml:5:3: 'c d' in 'params' is not a usable name; use letters, digits, '_' and '-', beginning "
          "with a letter or '_', at most 64",
          "w.yaml:5:3: param 'c d' has no value; give it with -p c d=VALUE, or write a default"));
}

}  // namespace
}  // namespace cosmos
