#include "workflow/matrix.h"

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kStages = "version: 1\nstages:\n  a: {uses: noop, matrix: ";

std::vector<std::string> NamesOf(const std::string& matrix) {
  std::vector<std::string> names;
  for (const StageInstance& instance : PlanOf(kStages + matrix + "}\n").instances) names.push_back(instance.instance);
  return names;
}

std::vector<std::string> ProblemsOf(const std::string& matrix) { return FindingsOf(kStages + matrix + "}\n"); }

TEST(MatrixTest, LeavesOutWhatIsExcluded) {
  EXPECT_THAT(NamesOf("{n: [1, 2], look: [day, night], exclude: [{n: 1, look: night}]}"),
              ElementsAre("1_day", "2_day", "2_night"));
  EXPECT_THAT(NamesOf("{n: [1, 2], look: [day, night], exclude: [{n: 1}]}"), ElementsAre("2_day", "2_night"));
}

TEST(MatrixTest, AddsWhatIsIncluded) {
  const Plan plan =
      PlanOf(kStages + "{n: [1, 2], look: [day], include: [{n: 2, sky: red}, {n: 9, look: dusk}, {extra: x}]}}\n");
  ASSERT_EQ(plan.instances.size(), 3u);
  EXPECT_EQ(plan.instances[0].matrix, json({{"n", 1}, {"look", "day"}, {"sky", nullptr}, {"extra", "x"}}));
  EXPECT_EQ(plan.instances[1].matrix, json({{"n", 2}, {"look", "day"}, {"sky", "red"}, {"extra", "x"}}));
  EXPECT_EQ(plan.instances[2].matrix, json({{"n", 9}, {"look", "dusk"}, {"sky", nullptr}, {"extra", nullptr}}));
  EXPECT_EQ(plan.instances[0].instance, "1_day_x");
  EXPECT_EQ(plan.instances[2].instance, "9_dusk");
  EXPECT_THAT(NamesOf("{include: [{n: 1}, {n: 2}]}"), ElementsAre("1", "2"));
}

TEST(MatrixTest, WhatIsIncludedCanBeNamedInExpressions) {
  const Plan plan = PlanOf(
      "version: 1\nstages:\n  a:\n    uses: prompt-enhancement\n"
      "    matrix: {n: [1], include: [{n: 1, word: 'yes ${{ params.w }}'}]}\n"
      "    with: {prompt: '${{ matrix.word }}'}\nparams: {w: {type: string, default: sir}}\n");
  EXPECT_EQ(plan.instances[0].with["prompt"], "yes sir");
}

TEST(MatrixTest, NamesStayReadable) {
  EXPECT_THAT(NamesOf("{shot: [{name: city_0010, frames: 48}, {id: 7, x: 1}, {seq: ab, shot: '0020'}, [1, 2]]}"),
              ElementsAre("city_0010", "7", "ab-0020", "1-2"));
  EXPECT_THAT(
      NamesOf("{shot: [{s: a, take: 1}, {s: b, take: 2}], name: '${{ matrix.shot.s }}_t${{ matrix.shot.take }}'}"),
      ElementsAre("a_t1", "b_t2"));
  EXPECT_THAT(NamesOf("{n: [1, 2], name: same}"), ElementsAre("same", testing::MatchesRegex("same-[0-9a-f]{8}")));
  EXPECT_THAT(NamesOf("{name: [x, y]}"), ElementsAre("x", "y"));  // an axis like any other
}

TEST(MatrixTest, StagesArePairedAlsoByWhatIsIncluded) {
  const Plan plan = PlanOf(
      "version: 1\nstages:\n"
      "  a: {uses: noop, matrix: {n: [1, 2], include: [{n: 3}]}}\n"
      "  b: {uses: noop, needs: a, matrix: {n: [1, 2, 3], exclude: [{n: 2}]}}\n");
  EXPECT_EQ(plan.instances[3].needs, std::vector<size_t>{0});
  EXPECT_EQ(plan.instances[4].needs, std::vector<size_t>{2});
}

TEST(MatrixTest, SaysWhatIsWrong) {
  EXPECT_THAT(ProblemsOf("{n: [1], exclude: [{m: 1}]}"),
              ElementsAre(HasSubstr("'matrix.exclude' of stage 'a': the matrix has no axis 'm'")));
  EXPECT_THAT(ProblemsOf("{n: [1, 2], exclude: [{n: 3}]}"),
              ElementsAre(HasSubstr("'matrix.exclude' of stage 'a': the integer 3 is no value of 'n'")));
  EXPECT_THAT(ProblemsOf("{n: [1], exclude: [{n: 1}]}"), ElementsAre(HasSubstr("leaves the stage no instance")));
  EXPECT_THAT(ProblemsOf("{n: [1], include: {n: 2}}"), ElementsAre(HasSubstr("expected a list, found an object")));
  EXPECT_THAT(ProblemsOf("{n: [1], max_parallel: 0}"), ElementsAre(HasSubstr("expected at least 1, found 0")));
  EXPECT_THAT(ProblemsOf("{n: [1], max_parallel: '${{ 1.5 }}'}"),
              ElementsAre(HasSubstr("found the number 1.5, expected an integer from 1 on")));
  EXPECT_THAT(ProblemsOf("{n: [1], name: '${{ matrix.m }}'}"), ElementsAre(HasSubstr("the matrix has no key 'm'")));
}

}  // namespace
}  // namespace cosmos
