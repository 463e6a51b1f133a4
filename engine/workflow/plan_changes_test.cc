#include "workflow/plan_changes.h"

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kBefore =
    "version: 1\nparams: {seed: {type: integer, default: 1}, look: {type: string, default: film}}\n"
    "stages:\n"
    "  a: {uses: prompt-enhancement, with: {prompt: x}, retry: {attempts: 2}}\n"
    "  b: {uses: shell, needs: a, matrix: {n: [1, 2]}, with: {argv: [echo, '${{ matrix.n }}']}}\n";

std::string Edited(const std::string& from, const std::string& to) {
  std::string text = kBefore;
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::set<std::string> Changed(const std::string& now) { return ChangedInstances(PlanOf(kBefore), PlanOf(now)); }

TEST(PlanChangesTest, OnlyInstancesWhoseWorkDiffersHaveChanged) {
  EXPECT_THAT(Changed(kBefore), IsEmpty());
  EXPECT_THAT(Changed("# a comment\n" + kBefore), IsEmpty());
  EXPECT_THAT(Changed(Edited("attempts: 2", "attempts: 5")), IsEmpty());
  EXPECT_THAT(Changed(Edited("prompt: x", "prompt: y")), ElementsAre("a"));
  EXPECT_THAT(Changed(Edited("[1, 2]", "[2, 3]")), ElementsAre("b.3"));
  EXPECT_THAT(Changed(Edited("[echo, ", "[print, ")), ElementsAre("b.1", "b.2"));
  EXPECT_THAT(Changed(kBefore + "env: {A: b}\n"), ElementsAre("a", "b.1", "b.2"));
  EXPECT_THAT(Changed(kBefore + "  c: {uses: noop}\n"), ElementsAre("c"));
}

TEST(PlanChangesTest, TheTextsDifferInTheirValues) {
  EXPECT_THAT(ChangesOfText(kBefore, "# a comment\n" + kBefore), IsEmpty());
  EXPECT_THAT(ChangesOfText(kBefore, Edited("prompt: x", "prompt: y")),
              ElementsAre("stages.a.with.prompt is \"y\", was \"x\""));
  EXPECT_THAT(ChangesOfText(kBefore, kBefore + "  c: {uses: noop}\n"), ElementsAre("stages.c is new"));
  EXPECT_THAT(ChangesOfText(kBefore, Edited(", retry: {attempts: 2}", "")), ElementsAre("stages.a.retry is gone"));
  EXPECT_THAT(ChangesOfText(kBefore, ""), testing::SizeIs(1));
}

TEST(PlanChangesTest, ADefaultThatWasEditedCountsAndAValueThatWasGivenStays) {
  const std::string now = Edited("default: 1", "default: 7");
  EXPECT_EQ(ParamsForText({{"seed", 1}, {"look", "film"}}, kBefore, now), json::object());
  EXPECT_EQ(ParamsForText({{"seed", 3}, {"look", "film"}}, kBefore, now), json({{"seed", 3}}));
  EXPECT_EQ(ParamsForText({{"seed", 3}, {"look", "dusk"}}, kBefore, "version: 1\n"), json::object());
}

}  // namespace
}  // namespace cosmos
