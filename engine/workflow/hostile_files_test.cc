// Files that would take all memory, all time or all stack.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kHead = "version: 1\nname: w\n";
constexpr const char* kNoop = "stages:\n  a: {uses: noop}\n";
std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Without the limits, these files take minutes, gigabytes, or the process.
class HostileFilesTest : public ::testing::Test {};

std::string Shell(const std::string& run) {
  return std::string(kHead) + "stages:\n  a: {uses: shell, with: {run: " + run + "}}\n";
}

TEST_F(HostileFilesTest, LongNamesAreNotComparedWithPatterns) {
  const std::string name(60'000, 'x');
  EXPECT_THAT(FindingsOf(kHead + std::string("env: {? ") + name + " : a}\n" + kNoop),
              ElementsAre(HasSubstr("in 'env' is not a usable name")));
  EXPECT_THAT(FindingsOf(kHead + std::string("params: {? ") + name + " : {type: string, default: a}}\n" + kNoop),
              Contains(HasSubstr("in 'params' is not a usable name")));
  EXPECT_THAT(FindingsOf(kHead + std::string("stages: {? ") + name + " : {uses: noop}}\n"),
              Contains(HasSubstr("in 'stages' is not a usable name")));
  EXPECT_THAT(FindingsOf(kHead + std::string("targets: {t: {local: {}, container: {image: i, entrypoint: /") + name +
                         "}}}\n" + kNoop),
              Contains(HasSubstr("the text has 60001 characters, too many for a text of that form")));
}

TEST_F(HostileFilesTest, AliasesOfALongTextAreCounted) {
  std::string text =
      kHead + std::string("x: &a '") + std::string(1 << 20, 'x') + "'\ny: [" + Repeated("*a, ", 20'000) + "]\n";
  EXPECT_THAT(FindingsOf(text), ElementsAre(HasSubstr("aliases repeat more than 16 MiB of text")));
  // As keys, in merged maps, and as anchors within anchors.
  text = kHead + std::string("x: &a ") + std::string(1 << 20, 'x') + "\ny: [" + Repeated("{*a : 1}, ", 1000) + "]\n";
  EXPECT_THAT(FindingsOf(text), Contains(HasSubstr("aliases repeat more than 16 MiB of text")));
  text =
      kHead + std::string("x: &a {k: ") + std::string(1 << 20, 'x') + "}\ny: [" + Repeated("{<<: *a}, ", 1000) + "]\n";
  EXPECT_THAT(FindingsOf(text), Contains(HasSubstr("aliases repeat more than 16 MiB of text")));
  text = kHead + std::string("x: ");
  for (int i = 0; i < 90; ++i) text += "&a" + std::to_string(i) + " [";
  text += std::string(1 << 20, 'x') + std::string(90, ']') + "\n";
  EXPECT_THAT(FindingsOf(text), Contains(HasSubstr("aliases repeat more than 16 MiB of text")));
}

TEST_F(HostileFilesTest, DepthIsLimited) {
  const std::string open(60'000, '['), close(60'000, ']');
  EXPECT_THAT(FindingsOf(kHead + std::string("x: ") + open + close + "\n"),
              ElementsAre(HasSubstr("lists and maps nest more than 100 levels deep")));
  EXPECT_THAT(FindingsOf(kHead + std::string("x: ") + Repeated("{a: ", 60'000)),
              ElementsAre(HasSubstr("lists and maps nest more than 100 levels deep")));
  EXPECT_THAT(FindingsOf(Repeated("- ", 60'000)), ElementsAre(HasSubstr("more than 100 levels deep")));
  std::string indented;
  for (int i = 0; i < 1000; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(FindingsOf(indented), ElementsAre(HasSubstr("more than 100 levels deep")));
  // Aliases that stand in each other.
  std::string text = kHead + std::string("a0: &a0 [1]\n");
  for (int i = 1; i < 90; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[*a" + std::to_string(i - 1) + "]]\n";
  }
  EXPECT_THAT(FindingsOf(text), ElementsAre(HasSubstr("with its aliases, lists and maps nest more than 100 levels")));
}

TEST_F(HostileFilesTest, ParamsAreLimitedAsWell) {
  CheckInput input = InputOf(kHead + std::string("params: {p: {type: array, default: []}}\n") + kNoop);
  input.params.file = "p.json";
  input.params.text = "{\"p\": " + std::string(60'000, '[') + std::string(60'000, ']') + "}";
  EXPECT_THAT(FindingsOf(input), Contains(HasSubstr("nest more than 100 levels deep")));
  input.params = {};
  input.params.overrides = {"p=" + std::string(60'000, '[') + std::string(60'000, ']')};
  EXPECT_THAT(FindingsOf(input), ElementsAre(HasSubstr("expected a list")));
}

TEST_F(HostileFilesTest, ExpressionsAreLimited) {
  const auto run = [](const std::string& expression) { return FindingsOf(Shell("\"${{ " + expression + " }}\"")); };
  EXPECT_THAT(run("1" + Repeated(" || 1", 100'000)), ElementsAre(HasSubstr("the expression has more than 250 parts")));
  EXPECT_THAT(run("1" + Repeated(" && 1", 100'000)), ElementsAre(HasSubstr("the expression has more than 250 parts")));
  EXPECT_THAT(run("params" + Repeated(".a", 100'000)), ElementsAre(HasSubstr("more than 250 parts")));
  EXPECT_THAT(run("json('[]')" + Repeated("[0]", 100'000)), ElementsAre(HasSubstr("more than 250 parts")));
  EXPECT_THAT(run(std::string(100'000, '!') + "1"), ElementsAre(HasSubstr("nested too deeply")));
  EXPECT_THAT(run(std::string(100'000, '(')), ElementsAre(HasSubstr("nested too deeply")));
  EXPECT_THAT(run("join(" + Repeated("1, ", 100'000) + "1)"), ElementsAre(HasSubstr("more than 250 parts")));
  EXPECT_THAT(run("json('" + std::string(10'000, '[') + std::string(10'000, ']') + "')"),
              ElementsAre(HasSubstr("json() cannot read the text: it nests more than 100 levels deep")));
}

TEST_F(HostileFilesTest, WhatExpressionsRepeatIsLimited) {
  const std::string big = "params: {big: {type: string, default: " + std::string(1 << 20, 'x') +
                          "}, l: {type: array, default: [" + Repeated("1, ", 10'000) + "]}}\n";
  const auto run = [&](const std::string& with) {
    return FindingsOf(kHead + big + "stages:\n  a: {uses: shell, with: " + with + "}\n");
  };
  EXPECT_THAT(run("{run: \"" + Repeated("${{ params.big }}", 1000) + "\"}"),
              ElementsAre(HasSubstr("make a text of more than 16 MiB")));
  EXPECT_THAT(run("{argv: [" + Repeated("\"${{ params.big }}\", ", 10'000) + "]}"),
              Contains(HasSubstr("takes more than 512 MiB")));
  EXPECT_THAT(run("{run: \"${{ join(params.l, params.big) }}\"}"),
              ElementsAre(HasSubstr("join() makes a text of more than 16 MiB")));
}

TEST_F(HostileFilesTest, MatricesAreLimited) {
  const auto matrix = [](const std::string& text, const std::string& run) {
    return FindingsOf(kHead + std::string("stages:\n  a:\n    uses: shell\n    matrix: ") + text +
                      "\n    with: {run: " + run + "}\n");
  };
  std::string numbers;
  for (int i = 0; i < 150'000; ++i) numbers += std::to_string(i) + ", ";
  EXPECT_THAT(matrix("{x: [" + numbers + "]}", "a"),
              ElementsAre(HasSubstr("has 150000 values, expected at most 100000")));
  // Small stages are many together, and each instance has its values.
  std::string stages;
  for (int i = 0; i < 50; ++i) {
    stages += "  a" + std::to_string(i) + ": {uses: noop, matrix: {";
    for (const char* key : {"a", "b", "c", "d", "e"}) stages += key + std::string(": [0,1,2,3,4,5,6,7,8,9], ");
    stages += "}}\n";
  }
  EXPECT_THAT(FindingsOf(kHead + std::string("stages:\n") + stages), Contains(HasSubstr("takes more than 512 MiB")));
  EXPECT_THAT(matrix("{x: [" + std::string(1 << 20, 'x') + "], y: [" + numbers.substr(0, 60'000) + "]}", "a"),
              Contains(HasSubstr("takes more than 512 MiB")));
  // Each instance has the whole text.
  numbers.clear();
  for (int i = 0; i < 50'000; ++i) numbers += std::to_string(i) + ", ";
  EXPECT_THAT(matrix("{x: [" + numbers + "]}", std::string(1 << 20, 'x')),
              Contains(HasSubstr("takes more than 512 MiB")));
}

TEST_F(HostileFilesTest, InstancesThatNeedEachOtherAreLimited) {
  std::string numbers;
  for (int i = 0; i < 50'000; ++i) numbers += std::to_string(i) + ", ";
  EXPECT_THAT(FindingsOf(kHead + std::string("stages:\n  a: {uses: noop, matrix: {x: [") + numbers +
                         "]}}\n  b: {uses: noop, needs: a, matrix: {y: [" + numbers + "]}}\n"),
              Contains(HasSubstr("takes more than 512 MiB")));
}

TEST_F(HostileFilesTest, ManyStagesAreLinkedInTime) {
  std::string chain, cycle, handlers;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "  s" + std::to_string(i) + ": ";
    chain += name + "{uses: shell, with: {run: \"${{ stages.s0.status }}\"}" +
             (i == 0 ? "" : ", needs: s" + std::to_string(i - 1)) + "}\n";
    cycle += name + "{uses: noop, needs: s" + std::to_string((i + 1) % 10'000) + "}\n";
    handlers += "  - {uses: noop}\n";
  }
  EXPECT_THAT(FindingsOf(kHead + std::string("stages:\n") + cycle), ElementsAre(HasSubstr("in a circle")));
  EXPECT_THAT(FindingsOf(kHead + std::string(kNoop) + "on_exit:\n" + handlers), IsEmpty());
  EXPECT_THAT(FindingsOf(kHead + std::string("stages:\n") + chain), Not(IsEmpty()));  // s0 refers to itself
}

TEST_F(HostileFilesTest, ManyMistakesAreCountedNotListed) {
  std::string keys, references, stages;
  for (int i = 0; i < 50'000; ++i) {
    keys += "k" + std::to_string(i) + ": 1\n";
    references += "${{ params.p" + std::to_string(i) + " }}";
    stages += "  s" + std::to_string(i) + ": {uses: nope, needs: [x" + std::to_string(i) + "]}\n";
  }
  EXPECT_THAT(FindingsOf(kHead + keys + kNoop), SizeIs(testing::Le(1000u)));
  EXPECT_THAT(FindingsOf(Shell("\"" + references + "\"")),
              testing::AllOf(SizeIs(1000), Contains(HasSubstr("more than 999 problems were found"))));
  EXPECT_THAT(FindingsOf(kHead + std::string("stages:\n") + stages), SizeIs(testing::Le(1000u)));
  EXPECT_THAT(FindingsOf(kHead + keys + keys + kNoop), SizeIs(testing::Le(1000u)));
}

TEST_F(HostileFilesTest, ListsOfAllowedValuesAreShort) {
  EXPECT_THAT(FindingsOf(kHead + std::string("params: {p: {type: integer, default: 1, enum: [") + Repeated("1,", 2000) +
                         "]}}\n" + kNoop),
              Not(IsEmpty()));
}

TEST_F(HostileFilesTest, LargeFilesAreRefused) {
  EXPECT_THAT(FindingsOf("# " + std::string(17 << 20, 'x')), Contains(HasSubstr("the file is larger than 16 MiB")));
  EXPECT_THAT(FindingsOf("x: [" + Repeated("1,", 2'000'000) + "]"),
              ElementsAre(HasSubstr("the file has more than 1000000 values")));
}

}  // namespace
}  // namespace cosmos
