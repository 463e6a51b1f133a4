// What people write who come from GitHub Actions and its like: each word gets ours.

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string HintFor(const std::string& key, const std::string& stage_key = "") {
  const std::string text = "version: 1\n" + (key.empty() ? "" : key + ": x\n") + "stages:\n  a:\n    uses: noop\n" +
                           (stage_key.empty() ? "" : "    " + stage_key + ": x\n");
  const std::vector<std::string> findings = FindingsOf(text);
  return findings.size() == 1 ? findings[0].substr(findings[0].find("; ") + 2) : "several or none";
}

std::string HintInExpression(const std::string& expression) {
  const auto findings = FindingsOf("version: 1\nstages: {a: {uses: prompt-enhancement, with: {prompt: \"${{ " +
                                   expression + " }}\"}}}\n");
  return findings.size() == 1 ? findings[0].substr(findings[0].rfind("; ") + 2) : "several or none";
}

TEST(OtherLanguagesTest, KeysOfAWorkflow) {
  EXPECT_THAT(HintFor("on"), HasSubstr("`cosmos-engine run`"));
  EXPECT_THAT(HintFor("jobs"), HasSubstr("write `stages:`"));
  EXPECT_THAT(HintFor("inputs"), HasSubstr("write `params:`"));
  EXPECT_THAT(HintFor("runs-on"), HasSubstr("`target:`"));
  EXPECT_THAT(HintFor("secret"), HasSubstr("did you mean 'secrets'"));
}

TEST(OtherLanguagesTest, KeysOfAStage) {
  EXPECT_THAT(HintFor("", "run"), HasSubstr("uses: shell"));
  EXPECT_THAT(HintFor("", "if"), HasSubstr("`when:`"));
  EXPECT_THAT(HintFor("", "timeout-minutes"), HasSubstr("`timeout: 30m`"));
  EXPECT_THAT(HintFor("", "strategy"), HasSubstr("`matrix:`"));
  EXPECT_THAT(HintFor("", "depends_on"), HasSubstr("`needs:`"));
  EXPECT_THAT(HintFor("", "steps"), HasSubstr("a stage of its own"));
}

TEST(OtherLanguagesTest, NamesAndFunctionsInExpressions) {
  EXPECT_THAT(HintInExpression("github.ref"), HasSubstr("run.id"));
  EXPECT_THAT(HintInExpression("inputs.a"), "write params.NAME");
  EXPECT_THAT(HintInExpression("needs.a.outputs.b"), HasSubstr("stages.NAME.outputs"));
  EXPECT_THAT(HintInExpression("true and false"), "write '&&'");
  EXPECT_THAT(HintInExpression("true or false"), "write '||'");
  EXPECT_THAT(HintInExpression("not true"), "write '!'");
  EXPECT_THAT(HintInExpression("startsWith('a', 'b')"), HasSubstr("starts_with"));
  EXPECT_THAT(HintInExpression("fromJSON('1')"), HasSubstr("json("));
  EXPECT_THAT(HintInExpression("always()"), HasSubstr("on_exit"));
}

TEST(OtherLanguagesTest, EveryErrorOfATextIsTold) {
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: prompt-enhancement, with: {prompt: "
                         "\"${{ inputs.a }} ${{ bad( }} ${{ params.b }} ${{ open\"}}}\n"),
              ElementsAre(HasSubstr("unknown name 'inputs'"), HasSubstr("unknown function 'bad'"),
                          HasSubstr("no param 'b'"), HasSubstr("is not closed")));
}

TEST(OtherLanguagesTest, AKeyThatHasADefaultIsSuggestedAsWell) {
  EXPECT_THAT(
      FindingsOf("version: 1\nstages: {a: {uses: inference, with: {model: playblast, prompt: x, input_video: y, "
                 "sede: 3}}}\n"),
      ElementsAre(HasSubstr("unknown key 'sede' in 'with' of stage 'a'; did you mean 'seed'?")));
}

TEST(OtherLanguagesTest, AQuoteThatIsNotClosedIsPointedAt) {
  EXPECT_THAT(FindingsOf("version: 1\nname: \"abc\nstages: {a: {uses: noop}}\n"),
              ElementsAre(HasSubstr("w.yaml:2:7: this is not YAML: the quote that opens here is never closed")));
  EXPECT_THAT(FindingsOf("version: 1\nname: \"abc\ndescription: \"def\"\nstages: {a: {uses: noop}}\n"),
              ElementsAre("w.yaml:2:7: this is not YAML: the quote that opens here is closed only in line 3; close it "
                          "where the text ends"));
  EXPECT_THAT(FindingsOf("version: 1\nname: 'it''s\n  fine'\nstages: [}\n"),
              ElementsAre(AllOf(HasSubstr("w.yaml:4:"), testing::Not(HasSubstr("quote that opens")))));
}

TEST(OtherLanguagesTest, ANulByteIsNoText) {
  EXPECT_THAT(FindingsOf(std::string("version: 1\nname: a\0b\n", 21)),
              ElementsAre(HasSubstr("w.yaml:2:8: found a NUL byte")));
}

}  // namespace
}  // namespace cosmos
