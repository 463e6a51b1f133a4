#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cosmos/parse_json.hpp>
#include <string>

namespace cosmos::sdk {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ProblemOf(const std::string& text, JsonLimits limits = kForeignJson) {
  try {
    ParseJson(text, limits);
  } catch (const JsonError& error) {
    EXPECT_TRUE(TryParseJson(text, limits).is_discarded());
    return error.what();
  }
  EXPECT_FALSE(TryParseJson(text, limits).is_discarded());
  return "";
}

std::string Nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

TEST(ParseJson, GivesTheValue) {
  EXPECT_EQ(ParseJson(R"({"a": [1, "]]]{{{\"[["]})"), Json({{"a", {1, "]]]{{{\"[["}}}));
  EXPECT_EQ(ParseJson("null"), Json());
}

TEST(ParseJson, SaysWhatIsWrong) {
  EXPECT_THAT(ProblemOf("{"), StartsWith("it is not JSON: parse error at line 1"));
  EXPECT_THAT(ProblemOf(""), StartsWith("it is not JSON: "));
  EXPECT_THAT(ProblemOf("1e999"), StartsWith("it is not JSON: "));
  EXPECT_THAT(ProblemOf("\"\xFF\""), StartsWith("it is not JSON: "));
}

TEST(ParseJson, RefusesDeepNesting) {
  EXPECT_EQ(ProblemOf(Nested(100)), "");
  EXPECT_EQ(ProblemOf(Nested(101)), "it nests more than 100 levels deep");
  EXPECT_EQ(ProblemOf(Nested(101), kOwnJson), "");
  EXPECT_EQ(ProblemOf(Nested(201), kOwnJson), "it nests more than 200 levels deep");
  EXPECT_EQ(ProblemOf(std::string(60'000, '[')), "it nests more than 100 levels deep");
  std::string objects;
  for (int i = 0; i < 60'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(ProblemOf(objects), "it nests more than 100 levels deep");
  // What stands in a text opens nothing.
  EXPECT_EQ(ProblemOf("\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\""), "");
}

TEST(ParseJson, RefusesLargeTexts) {
  const std::string text = "\"" + std::string(kForeignJson.bytes, 'x') + "\"";
  EXPECT_EQ(ProblemOf(text), "it is larger than 16 MiB");
  EXPECT_EQ(ProblemOf(text, kOwnJson), "");
}

TEST(MembersOfJson, AreReadWhateverTheirTypes) {
  const Json object = {{"text", "a"}, {"number", 7}, {"float", 1e300},      {"huge", 18446744073709551615U},
                       {"yes", true}, {"list", {1}}, {"object", {{"a", 1}}}};
  EXPECT_EQ(TextIn(object, "text"), "a");
  EXPECT_EQ(IntegerIn(object, "number", -1), 7);
  EXPECT_EQ(IntIn(object, "number", -1), 7);
  EXPECT_TRUE(BoolIn(object, "yes"));
  EXPECT_EQ(ListIn(object, "list"), Json({1}));
  EXPECT_EQ(ObjectIn(object, "object"), Json({{"a", 1}}));
  for (const char* other : {"number", "float", "huge", "yes", "list", "object", "none"}) {
    EXPECT_EQ(TextIn(object, other, "x"), "x") << other;
  }
  for (const char* other : {"text", "float", "huge", "yes", "list", "object", "none"}) {
    EXPECT_EQ(IntegerIn(object, other, -1), -1) << other;
    EXPECT_EQ(IntIn(object, other, -1), -1) << other;
    EXPECT_FALSE(BoolIn(object, "number")) << other;
  }
  for (const Json& value : {Json(), Json(1), Json("text"), Json::array({1}), Json(Json::value_t::discarded)}) {
    EXPECT_EQ(TextIn(value, "a"), "");
    EXPECT_EQ(IntegerIn(value, "a", 3), 3);
    EXPECT_TRUE(ObjectIn(value, "a").empty());
    EXPECT_TRUE(ListIn(value, "a").empty());
  }
  EXPECT_EQ(IntIn({{"a", std::int64_t{1} << 40}}, "a", 3), 3);
}

}  // namespace
}  // namespace cosmos::sdk
