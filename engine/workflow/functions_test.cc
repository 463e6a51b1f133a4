#include "workflow/functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/evaluator.h"
#include "workflow/expression_tree.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class TestScope final : public Scope {
 public:
  std::optional<json> Find(const std::vector<std::string>& path) const override {
    if (path == std::vector<std::string>{"stages", "a", "status"}) return json({"succeeded", "failed"});
    if (path == std::vector<std::string>{"stages", "b", "status"}) return "succeeded";
    if (path[0] == "params") return json::parse(R"([{"s": 1, "n": "x"}, {"n": "y"}, null])");
    return std::nullopt;
  }
};

json ValueOf(const std::string& text) { return Evaluate(ParseExpression(text), TestScope()); }

std::string ErrorOf(const std::string& text) {
  try {
    return "gave " + ValueOf(text).dump();
  } catch (const ExpressionError& error) {
    return error.message() + "; " + error.hint();
  }
}

TEST(FunctionsTest, OfTexts) {
  EXPECT_EQ(ValueOf("contains('city_0010', '001')"), true);
  EXPECT_EQ(ValueOf("contains('city', 'x')"), false);
  EXPECT_EQ(ValueOf("starts_with('city', 'ci') && ends_with('city', 'ty')"), true);
  EXPECT_EQ(ValueOf("starts_with(10, 1)"), true);
  EXPECT_EQ(ValueOf("format('{1}-{0} {{x}}', 'a', 7)"), "7-a {x}");
  EXPECT_EQ(ValueOf("length('äöü')"), 3);
  EXPECT_EQ(ValueOf("basename('/a/b.c.exr')"), "b.c.exr");
  EXPECT_EQ(ValueOf("basename('a/b/')"), "b");
  EXPECT_EQ(ValueOf("basename('/')"), "");
  EXPECT_EQ(ValueOf("stem('/a/b.c.exr')"), "b.c");
  EXPECT_EQ(ValueOf("stem('a/.hidden')"), ".hidden");
}

TEST(FunctionsTest, OfLists) {
  EXPECT_EQ(ValueOf("contains(range(3), 2)"), true);
  EXPECT_EQ(ValueOf("contains(range(3), 3)"), false);
  EXPECT_EQ(ValueOf("range(2, 5)"), json({2, 3, 4}));
  EXPECT_EQ(ValueOf("range(5, 0, -2)"), json({5, 3, 1}));
  EXPECT_EQ(ValueOf("range(0)"), json::array());
  EXPECT_EQ(ValueOf("zip(range(2), range(5, 7))"), json::parse("[[0, 5], [1, 6]]"));
  EXPECT_EQ(ValueOf("pluck(params.x, 's')"), json({1, nullptr, nullptr}));
  EXPECT_EQ(ValueOf("join(present(pluck(params.x, 'n')), '+')"), "x+y");
  EXPECT_EQ(ValueOf("length(params.x)"), 3);
  EXPECT_EQ(ValueOf("join(range(3), '')"), "012");
}

TEST(FunctionsTest, FailedAsksForAStage) {
  EXPECT_EQ(ValueOf("failed(stages.a)"), true);
  EXPECT_EQ(ValueOf("failed(stages.a.status)"), true);
  EXPECT_EQ(ValueOf("!failed( stages.b )"), true);
  EXPECT_EQ(ToSource(ParseExpression("failed(stages.a)")), "failed(stages.a.status)");
  EXPECT_TRUE(Calls(ParseExpression("params.x == 1 || !failed(stages.a)"), "failed"));
  EXPECT_FALSE(Calls(ParseExpression("params.x == 'failed'"), "failed"));
  EXPECT_THAT(ErrorOf("failed('a')"), HasSubstr("a stage, such as stages.render"));
  EXPECT_THAT(ErrorOf("failed(stages.a.outputs)"), HasSubstr("')'"));
}

TEST(FunctionsTest, SayWhatTheyExpect) {
  EXPECT_EQ(ErrorOf("zip(range(2), range(3))"), "zip() got lists of 2 and 3 elements; give lists of the same length");
  EXPECT_EQ(ErrorOf("present('a')"), "present() got the text 'a', expected a list; ");
  EXPECT_EQ(ErrorOf("range(1, 2, 0)"), "range() has a step of 0; give another one, such as 1 or -1");
  EXPECT_EQ(ErrorOf("range(1.5)"), "range() got the number 1.5, expected an integer; ");
  EXPECT_THAT(ErrorOf("range(1000000)"), HasSubstr("more than 100000"));
  EXPECT_THAT(ErrorOf("range(9000000000000000000)"), HasSubstr("expected an integer"));
  EXPECT_EQ(ErrorOf("format('{0} {1}', 1)"), "format() has no argument for {1}; the first is {0}");
  EXPECT_THAT(ErrorOf("format('a } b')"), HasSubstr("found a lone '}'"));
  EXPECT_THAT(ErrorOf("format('{a}')"), HasSubstr("found a lone '{'"));
  EXPECT_EQ(ErrorOf("range()"), "range() has 0 arguments, expected 1 to 3; ");
  EXPECT_THAT(ErrorOf("basenam('a')"), HasSubstr("did you mean 'basename'"));
}

}  // namespace
}  // namespace cosmos
