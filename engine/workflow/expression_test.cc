#include "workflow/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "workflow/evaluator.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// References by their dotted names.
class MapScope final : public Scope {
 public:
  explicit MapScope(std::map<std::string, json> values) : values_(std::move(values)) {}
  std::optional<json> Find(const std::vector<std::string>& path) const override {
    const auto found = values_.find(NameOfPath(path));
    return found == values_.end() ? std::nullopt : std::optional<json>(found->second);
  }

 private:
  std::map<std::string, json> values_;
};

const MapScope& TestScope() {
  static const MapScope scope({{"params.n", 3},
                               {"params.x", 0.5},
                               {"params.name", "city"},
                               {"params.list", {1, "b", nullptr}},
                               {"params.object", {{"key", {{"deep", 7}}}, {"with space", 8}}},
                               {"params.none", nullptr},
                               {"params.evil", "a ${{ secrets.token }} b"},
                               {"params.evil-list", {"${{ run.id }}", {{"k", "$${{ x }}"}}}},
                               {"matrix.seed", 7},
                               {"stages.make-clips.outputs.video", "a.mp4"},
                               {"stages.make-clips.status", "succeeded"},
                               {"secrets.token", "s3cret"},
                               {"run.id", "rs_1"}});
  return scope;
}

// Params and matrix of TestScope only, as before a run.
const MapScope& EarlyScope() { return TestScope(); }

json Value(const std::string& source) { return Evaluate(ParseExpression(source), TestScope()); }

std::string ErrorOf(const std::string& source) {
  try {
    Value(source);
  } catch (const ExpressionError& error) {
    return std::to_string(error.offset()) + ": " + error.message() + (error.hint().empty() ? "" : "; " + error.hint());
  }
  return "no error";
}

TEST(ExpressionTest, ReadsLiterals) {
  EXPECT_EQ(Value("'it''s'"), "it's");
  EXPECT_EQ(Value("\"a\\n\\\"b\\\" \\u00e9\""), "a\n\"b\" é");
  EXPECT_EQ(Value("'}} ${{ x'"), "}} ${{ x");
  EXPECT_EQ(Value("-12"), -12);
  EXPECT_EQ(Value("1.5e3"), 1500.0);
  EXPECT_EQ(Value("18446744073709551615").dump(), "18446744073709551615");
  EXPECT_EQ(Value(" true "), true);
  EXPECT_EQ(Value("null"), nullptr);
}

TEST(ExpressionTest, FollowsReferences) {
  EXPECT_EQ(Value("params.name"), "city");
  EXPECT_EQ(Value("params['name']"), "city");
  EXPECT_EQ(Value("stages.make-clips.outputs.video"), "a.mp4");
  EXPECT_EQ(Value("stages['make-clips'].outputs['video']"), "a.mp4");
  EXPECT_EQ(Value("stages.make-clips.status == 'succeeded'"), true);
  EXPECT_EQ(Value("params.list[1]"), "b");
  EXPECT_EQ(Value("params.object.key.deep"), 7);
  EXPECT_EQ(Value("params.object['with space']"), 8);
  EXPECT_EQ(Value("params.list[params.n == 3 && 0]"), 1);
}

TEST(ExpressionTest, ComparesAndCombines) {
  EXPECT_EQ(Value("1 == 1.0"), true);
  EXPECT_EQ(Value("'1' == 1"), false);
  EXPECT_EQ(Value("null != false"), true);
  EXPECT_EQ(Value("params.n < 3"), false);
  EXPECT_EQ(Value("params.n <= 3"), true);
  EXPECT_EQ(Value("params.n > 2.5"), true);
  EXPECT_EQ(Value("'a' < 'b'"), true);
  EXPECT_EQ(Value("params.list == json('[1, \"b\", null]')"), true);
  EXPECT_EQ(Value("true || false && false"), true);
  EXPECT_EQ(Value("(true || false) && false"), false);
  EXPECT_EQ(Value("!params.none"), true);
  EXPECT_EQ(Value("!(1 == 2) && !false"), true);
  EXPECT_EQ(Value("params.none || 'other'"), "other");
  EXPECT_EQ(Value("'' && params.missing"), "");  // the second is not looked at
}

TEST(ExpressionTest, CallsFunctions) {
  EXPECT_EQ(Value("default(params.missing, 5)"), 5);
  EXPECT_EQ(Value("default(params.none, 5)"), 5);
  EXPECT_EQ(Value("default(params.object.key.no, default(params.missing, 'x'))"), "x");
  EXPECT_EQ(Value("default(params.n, params.missing)"), 3);
  EXPECT_EQ(Value("join(params.list, '-')"), "1-b-");
  EXPECT_EQ(Value("join(params.list)"), "1,b,");
}

TEST(ExpressionTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(ErrorOf(""), "0: the expression is empty");
  EXPECT_EQ(ErrorOf("params.n ="),
            "9: found '=' in the expression, expected the end of the expression; compare with '=='");
  EXPECT_EQ(ErrorOf("params.n + 1"),
            "9: found '+' in the expression, expected the end of the expression; expressions do not calculate");
  EXPECT_EQ(ErrorOf("(1"), "2: the expression ends too early, expected ')'");
  EXPECT_EQ(ErrorOf("'abc"), "0: the text is not closed, expected '");
  EXPECT_EQ(ErrorOf("1.2.3"), "0: '1.2.3' is not a number");
  EXPECT_EQ(ErrorOf("parms.n"), "0: unknown name 'parms' in the expression; did you mean 'params'?");
  EXPECT_EQ(ErrorOf("succeeded"),
            "0: unknown name 'succeeded' in the expression; write a text in quotes, and a reference as params.NAME");
  EXPECT_EQ(ErrorOf("joined(1)"), "0: unknown function 'joined'; did you mean 'join'?");
  EXPECT_EQ(ErrorOf("default(1)"), "0: default() has 1 arguments, expected 2");
  EXPECT_EQ(ErrorOf("params"), "0: found 'params' alone, expected params.NAME");
  EXPECT_EQ(ErrorOf("stages.a"), "0: found 'stages.a', expected stages.NAME.outputs, .status or .instances");
  EXPECT_EQ(ErrorOf("stages.a.output.b"), "0: 'stages.a.output': a stage has no 'output'; did you mean 'outputs'?");
  EXPECT_EQ(ErrorOf("run.name"),
            "0: the run has no 'name'; expected one of id, status, error, output_dir, workflow, params");
  EXPECT_EQ(ErrorOf("1 == params.missing"),
            "5: there is no 'params.missing'; default(params.missing, …) would give a value instead");
  EXPECT_EQ(ErrorOf("params.list[3]"), "0: there is no element 3 in a list of 3 (the first is 0)");
  EXPECT_EQ(ErrorOf("params.n < 'a'"), "0: cannot order a number and a text by '<'; give two numbers or two texts");
  EXPECT_EQ(ErrorOf("join('a', 'b')"), "0: join() got the text 'a', expected a list");
  EXPECT_THAT(ErrorOf(std::string(1000, '(') + "1"), HasSubstr("the expression is nested too deeply"));
  EXPECT_THAT(ErrorOf(std::string(1000, '!') + "1"), HasSubstr("the expression is nested too deeply"));
}

TEST(ExpressionTest, SourceMeansTheSameAgain) {
  for (const char* source :
       {"params.n == 3 && !(params.x < 1 || 'a''b' != \"c\\n\")", "default(params.none, join(params.list, '}}'))",
        "params.object['with space'] == 8", "(true || false) && false", "json('[1,{\"a\":\"${{ x }}\"}]')[1].a"}) {
    const Expression expression = ParseExpression(source);
    EXPECT_EQ(Evaluate(ParseExpression(ToSource(expression)), TestScope()), Evaluate(expression, TestScope()))
        << source;
  }
}

TEST(ResolveTest, KeepsTheTypeOfASingleExpression) {
  EXPECT_EQ(Resolve("${{ params.n }}", TestScope()), 3);
  EXPECT_EQ(Resolve("${{\n params.list\n}}", TestScope()), json({1, "b", nullptr}));
  EXPECT_EQ(Resolve("n=${{ params.n }}, x=${{params.x}}, ${{ params.none }}.", TestScope()), "n=3, x=0.5, .");
  EXPECT_EQ(Resolve("${{ params.list }} ${{ params.object }}", TestScope()),
            "[1,\"b\",null] {\"key\":{\"deep\":7},\"with space\":8}");
  EXPECT_EQ(Resolve(json({{"a", {"${{ params.n }}", 1}}, {"${{ k }}", true}}), TestScope()),
            json({{"a", {3, 1}}, {"${{ k }}", true}}));
  EXPECT_EQ(Resolve("${{ '}}' }}", TestScope()), "}}");
}

TEST(ResolveTest, WritesALiteralDollarBrace) {
  EXPECT_EQ(Resolve("$${{ params.n }}", TestScope()), "${{ params.n }}");
  EXPECT_EQ(Resolve("$$${{ params.n }} ${{ params.n }}", TestScope()), "$${{ params.n }} 3");
  EXPECT_EQ(Resolve("{{ x }} $ {{ $x $$", TestScope()), "{{ x }} $ {{ $x $$");
  EXPECT_THROW(Resolve("${{ params.n }", TestScope()), ExpressionError);
  for (const char* text : {"", "${{ x }}", "$${{", "a$$$$${{ ${{", "${{${{", "$$"}) {
    EXPECT_EQ(Resolve(TextTemplate::Escape(text), TestScope()), text);
  }
}

TEST(ResolveTest, TextsOfUsersNeverBecomeExpressions) {
  // What a param holds comes out as it is, whether it is put in before the run or while it is there.
  for (const char* text : {"${{ params.evil }}", "x ${{ params.evil }} ${{ stages.make-clips.status }}",
                           "${{ default(params.evil, run.id) }}", "${{ params.evil == run.id || params.evil }}",
                           "${{ default(secrets.none, params.evil) }}",
                           "${{ default(stages.b.status, params.evil-list) }}", "${{ params.evil-list }}",
                           "$${{ params.evil }} ${{ params.evil }}", "${{ join(params.evil-list, secrets.token) }}"}) {
    const json at_once = Resolve(text, TestScope());
    const json early = ResolveKnown(text, EarlyScope());
    EXPECT_EQ(Resolve(early, TestScope()), at_once) << text << " by way of " << early;
    EXPECT_THAT(at_once.dump(), testing::Not(HasSubstr("a s3cret b"))) << text;
  }
}

TEST(ResolveTest, ResolvesBeforeTheRunWhatIsKnown) {
  EXPECT_EQ(ResolveKnown("${{ params.n }}", EarlyScope()), 3);
  EXPECT_EQ(ResolveKnown("${{ params.name }}/${{ stages.make-clips.outputs.video }}", EarlyScope()),
            "city/${{ stages.make-clips.outputs.video }}");
  EXPECT_EQ(ResolveKnown("${{ matrix.seed == 7 && run.status }}", EarlyScope()), "${{ true && run.status }}");
  EXPECT_EQ(ResolveKnown("${{ default(params.missing, run.id) }}", EarlyScope()), "${{ run.id }}");
  EXPECT_TRUE(HasExpressions(json({{"a", {"x ${{ run.id }}"}}})));
  EXPECT_FALSE(HasExpressions("$${{ run.id }}"));
}

TEST(EvaluateConditionTest, TakesNothingForFalse) {
  EXPECT_TRUE(EvaluateCondition("params.n == 3", TestScope()));
  EXPECT_TRUE(EvaluateCondition("'false'", TestScope()));
  EXPECT_TRUE(EvaluateCondition("json('[]')", TestScope()));
  for (const char* nothing : {"null", "false", "0", "0.0", "''"}) EXPECT_FALSE(EvaluateCondition(nothing, TestScope()));
}

}  // namespace
}  // namespace cosmos
