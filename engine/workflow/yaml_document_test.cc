#include "workflow/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

YamlDocument Parse(const std::string& text) { return YamlDocument::Parse(text, "f.yaml"); }

json ValueOf(const std::string& text) {
  const YamlDocument document = Parse(text);
  for (const Finding& finding : document.findings().Sorted()) ADD_FAILURE() << ToText(finding);
  return document.value();
}

std::vector<std::string> FindingsOf(const std::string& text) {
  std::vector<std::string> texts;
  for (const Finding& finding : Parse(text).findings().Sorted()) texts.push_back(ToText(finding));
  return texts;
}

TEST(YamlDocumentTest, TypesPlainScalarsByTheCoreSchema) {
  EXPECT_EQ(ValueOf("[true, False, TRUE, yes, no, on, off, y]"),
            json({true, false, true, "yes", "no", "on", "off", "y"}));
  EXPECT_EQ(ValueOf("[null, ~, Null, , nil]"), json({nullptr, nullptr, nullptr, nullptr, "nil"}));
  EXPECT_EQ(ValueOf("[0, -7, +7, 0x1F, 0o17, 017, 1_000]"), json({0, -7, 7, 31, 15, "017", "1_000"}));
  EXPECT_EQ(ValueOf("[1.5, -.5, 1., 1e3, 1.5E-3, 1e, ., 1.2.3, -]"),
            json({1.5, -0.5, 1.0, 1000.0, 0.0015, "1e", ".", "1.2.3", "-"}));
  EXPECT_TRUE(ValueOf("1.0").is_number_float());
}

TEST(YamlDocumentTest, KeepsBigIntegersExact) {
  EXPECT_EQ(ValueOf("9223372036854775807").dump(), "9223372036854775807");
  EXPECT_EQ(ValueOf("18446744073709551615").dump(), "18446744073709551615");
  EXPECT_EQ(ValueOf("-9223372036854775808").dump(), "-9223372036854775808");
  EXPECT_TRUE(ValueOf("99999999999999999999").is_number_float());
}

TEST(YamlDocumentTest, QuotedAndBlockScalarsAreTexts) {
  EXPECT_EQ(ValueOf("{a: \"1\", b: 'true', c: \"\"}"), json({{"a", "1"}, {"b", "true"}, {"c", ""}}));
  EXPECT_EQ(ValueOf("|\n  1\n"), "1\n");
  EXPECT_EQ(ValueOf(">-\n  a\n  b\n"), "a b");
  EXPECT_EQ(ValueOf("!!str 12"), "12");
}

TEST(YamlDocumentTest, KeysAreTextsInTheOrderOfTheDocument) {
  const YamlDocument document = Parse("on: 1\n2: b\nb: c\n\"a\": d\n");
  EXPECT_EQ(document.value(), json({{"on", 1}, {"2", "b"}, {"b", "c"}, {"a", "d"}}));
  std::vector<std::string> keys;
  for (const auto& [key, node] : document.root().members) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("on", "2", "b", "a"));
}

TEST(YamlDocumentTest, KnowsThePlaceOfEverything) {
  const YamlDocument document = Parse("a:\n  b: [1, {c: x}]\n");
  const YamlNode* b = document.root().Nearest({"a", "b"});
  EXPECT_EQ(b->key, (Place{2, 3}));
  EXPECT_EQ(b->value, (Place{2, 6}));
  EXPECT_EQ(document.root().Nearest({"a", "b", "1", "c"})->key, (Place{2, 11}));
  EXPECT_EQ(document.root().Nearest({"a", "b", "1", "c"})->value, (Place{2, 14}));
  EXPECT_EQ(document.root().Nearest({"a", "b", "7"}), b);
}

TEST(YamlDocumentTest, CarriesOutAliasesAndMerges) {
  EXPECT_EQ(ValueOf("a: &x {k: 1}\nb: *x\n"), json({{"a", {{"k", 1}}}, {"b", {{"k", 1}}}}));
  EXPECT_EQ(ValueOf("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n")["b"], json({{"k", 1}, {"l", 3}}));
  EXPECT_EQ(ValueOf("a: &x {k: 1}\nb: &y {k: 2, m: 4}\nc: {<<: [*x, *y]}\n")["c"], json({{"k", 1}, {"m", 4}}));
}

TEST(YamlDocumentTest, FindsDuplicateKeys) {
  EXPECT_THAT(
      FindingsOf("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
      ElementsAre("f.yaml:2:11: the key 'c' stands twice in this map; the first stands in line 2; remove one of them",
                  "f.yaml:3:1: the key 'a' stands twice in this map; the first stands in line 1; remove one of them"));
}

TEST(YamlDocumentTest, TellsOfTextsThatAreNotOneDocument) {
  EXPECT_THAT(FindingsOf(""), IsEmpty());  // whether nothing will do is for others to tell
  EXPECT_THAT(FindingsOf("a: 1\n---\nb: 2\n"),
              ElementsAre("f.yaml:3:1: found a second YAML document, expected one; remove the `---` before it"));
  EXPECT_THAT(FindingsOf("a: \xff\n"),
              ElementsAre("f.yaml:1:4: found a byte that is not UTF-8; save the file as UTF-8"));
  EXPECT_THAT(FindingsOf("a:\n\tb: 1\n"),
              ElementsAre("f.yaml:2:1: found a tab in the indentation; YAML indents with spaces only"));
  EXPECT_THAT(FindingsOf("a: {p: ${{ x }}}\nb: [\n"), testing::Not(IsEmpty()));
  EXPECT_THAT(FindingsOf("a: [1, 2\nb: 3\n"), ElementsAre(HasSubstr("f.yaml:2:")));
  EXPECT_THAT(FindingsOf("a: \"open\n"),
              ElementsAre("f.yaml:1:4: this is not YAML: the quote that opens here is never closed; close it"));
  EXPECT_THAT(FindingsOf("a: 'it''s\nb: c\n"), ElementsAre(HasSubstr("f.yaml:1:4: ")));
  EXPECT_THAT(FindingsOf("a: 'it''s'\nb: \"c\\\"\"\n"), IsEmpty());
}

TEST(YamlDocumentTest, ExplainsTheEscapesOfJson) {
  EXPECT_THAT(FindingsOf("a: \"\\ud83c\\udfac\"\n"),
              ElementsAre(HasSubstr("found an escape such as \\ud83c, which is half of a character in JSON; write the "
                                    "character itself")));
}

TEST(YamlDocumentTest, TellsOfValuesThatJsonDoesNotHave) {
  EXPECT_THAT(FindingsOf("a: .inf\n"),
              ElementsAre("f.yaml:1:4: found '.inf', expected a finite number; write it in quotes if a text is meant"));
  EXPECT_THAT(FindingsOf("? [a]\n: 1\n"), ElementsAre(HasSubstr("f.yaml:1:3: found a list as a key, expected a text")));
  EXPECT_THAT(FindingsOf("a: !!python/object x\n"), ElementsAre(HasSubstr("tags have no meaning here")));
}

TEST(YamlDocumentTest, SurvivesAliasesThatGrow) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + previous;
    for (int j = 0; j < 9; ++j) text += ", " + previous;
    text += "]\n";
  }
  EXPECT_THAT(FindingsOf(text), ElementsAre(HasSubstr("aliases repeat more than 200000 values")));
  EXPECT_THAT(FindingsOf("a: &x [*x]\n"),
              ElementsAre(HasSubstr("the alias stands inside the very value that it names")));
}

TEST(YamlDocumentTest, FindsPlacesInsideTexts) {
  const auto place = [](const std::string& text, const std::string& part) {
    const YamlDocument document = Parse(text);
    const std::string value = document.value()["a"].get<std::string>();
    return document.PlaceInside(*document.root().Member("a"), value, value.find(part));
  };
  EXPECT_EQ(place("a: x HERE\n", "HERE"), (Place{1, 6}));
  EXPECT_EQ(place("a: \"x HERE\"\n", "HERE"), (Place{1, 7}));
  EXPECT_EQ(place("a: \"\\\"q\\\" HERE\"\n", "HERE"), (Place{1, 11}));
  EXPECT_EQ(place("a: 'it''s HERE'\n", "HERE"), (Place{1, 11}));
  EXPECT_EQ(place("a: |\n  one\n  two HERE\n", "HERE"), (Place{3, 7}));
  EXPECT_EQ(place("a: >-\n  one\n  two HERE\n", "HERE"), (Place{3, 7}));
  EXPECT_EQ(place("a: one\n  two HERE\n", "HERE"), (Place{2, 7}));
  EXPECT_EQ(place("b: &x long HERE\na: *x\n", "HERE"), (Place{2, 4}));
}

}  // namespace
}  // namespace cosmos
