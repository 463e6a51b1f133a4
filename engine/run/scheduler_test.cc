#include "run/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A plan of stages that need the given ones.
Plan PlanOf(const std::vector<std::vector<std::size_t>>& needs) {
  Plan plan;
  for (const auto& of_one : needs) {
    plan.instances.emplace_back().needs = of_one;
  }
  return plan;
}

constexpr auto kDone = Scheduler::End::kDone;
constexpr auto kBlocked = Scheduler::End::kBlocked;

TEST(Scheduler, StartsAStageWhenAllItNeedsHasEnded) {
  const Plan diamond = PlanOf({{}, {0}, {0}, {1, 2}});
  Scheduler scheduler(diamond);
  EXPECT_THAT(scheduler.Begin().ready, ElementsAre(0));
  EXPECT_THAT(scheduler.Ended(0, kDone).ready, ElementsAre(1, 2));
  EXPECT_THAT(scheduler.Ended(2, kDone).ready, IsEmpty());
  EXPECT_THAT(scheduler.Ended(1, kDone).ready, ElementsAre(3));
  EXPECT_FALSE(scheduler.finished());
  scheduler.Ended(3, kDone);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, WhatRunsAfterFailuresStartsWhenAllItNeedsHasEnded) {
  Plan plan = PlanOf({{}, {}, {0}, {0, 1, 2}, {3}});
  plan.instances[3].after_failure = true;
  Scheduler scheduler(plan);
  scheduler.Begin();
  const Scheduler::Step step = scheduler.Ended(0, kBlocked);
  EXPECT_THAT(step.blocked, ElementsAre(2));
  EXPECT_THAT(step.ready, IsEmpty());
  EXPECT_THAT(scheduler.Ended(1, kDone).ready, ElementsAre(3));
  EXPECT_THAT(scheduler.Ended(3, kDone).ready, ElementsAre(4));
  EXPECT_FALSE(scheduler.finished());
  scheduler.Ended(4, kDone);
  EXPECT_TRUE(scheduler.finished());
  Scheduler other(plan);
  other.Begin();
  other.Ended(1, kDone);
  EXPECT_THAT(other.Ended(0, kBlocked).ready, ElementsAre(3));
}

TEST(Scheduler, AFailureBlocksAllThatNeedsItAndNothingElse) {
  const Plan plan = PlanOf({{}, {}, {0}, {2}, {1}, {1, 3}});
  Scheduler scheduler(plan);
  EXPECT_THAT(scheduler.Begin().ready, ElementsAre(0, 1));
  const Scheduler::Step step = scheduler.Ended(0, kBlocked);
  EXPECT_THAT(step.blocked, UnorderedElementsAre(2, 3, 5));
  EXPECT_THAT(scheduler.Ended(1, kDone).ready, ElementsAre(4));
  scheduler.Ended(4, kDone);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, BlocksEachOnlyOnce) {
  const Plan plan = PlanOf({{}, {}, {0, 1}});
  Scheduler scheduler(plan);
  scheduler.Begin();
  EXPECT_THAT(scheduler.Ended(0, kBlocked).blocked, ElementsAre(2));
  EXPECT_THAT(scheduler.Ended(1, kBlocked).blocked, IsEmpty());
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, ManageALongChainWithoutDeepCalls) {
  std::vector<std::vector<std::size_t>> needs(100000);
  for (std::size_t i = 1; i < needs.size(); ++i) needs[i] = {i - 1};
  const Plan plan = PlanOf(needs);
  Scheduler scheduler(plan);
  scheduler.Begin();
  EXPECT_EQ(scheduler.Ended(0, kBlocked).blocked.size(), needs.size() - 1);
  EXPECT_TRUE(scheduler.finished());
}

}  // namespace
}  // namespace cosmos
