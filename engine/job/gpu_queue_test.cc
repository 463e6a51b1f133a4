#include "job/gpu_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LeasedGpu Gpu(int index) { return {index, "GPU-" + std::to_string(index), "H100"}; }

std::vector<GpuCandidate> Free(int count) {
  std::vector<GpuCandidate> candidates;
  for (int i = 0; i < count; ++i) candidates.push_back({Gpu(i), "", ""});
  return candidates;
}

GpuClaimRecord Claim(std::uint64_t id, int gpus, const std::vector<LeasedGpu>& has = {}) {
  GpuClaimRecord claim;
  claim.id = id;
  claim.run_id = "rs_0123456789abcdef";
  claim.stage = "stage" + std::to_string(id);
  claim.target = "gpu1";
  claim.host = "me@gpu1";
  claim.gpus = gpus;
  if (!has.empty()) claim.devices = ToJson(has).dump();
  return claim;
}

GpuDecision Decide(const GpuClaimRecord& mine, const std::vector<GpuClaimRecord>& claims,
                   const std::vector<GpuCandidate>& candidates, bool ignore_others = false) {
  return DecideGpus(mine, claims, candidates, ignore_others);
}

TEST(GpuQueueTest, TakesTheFirstThatAreFree) {
  EXPECT_THAT(Decide(Claim(0, 2), {Claim(1, 1, {Gpu(1)})}, Free(4)).gpus, ElementsAre(Gpu(0), Gpu(2)));
}

TEST(GpuQueueTest, TellsWhoHoldsWhat) {
  const GpuDecision decision = Decide(Claim(0, 2), {Claim(1, 1, {Gpu(0)})}, Free(2));
  EXPECT_THAT(decision.gpus, IsEmpty());
  EXPECT_EQ(decision.reason, "waits for 2 GPUs of 'gpu1': GPU 0 is held by stage 'stage1' of run rs_01234567");
  EXPECT_FALSE(decision.somebody_else);
}

TEST(GpuQueueTest, NobodyPassesWhoCameBeforeUnlessItSleeps) {
  std::vector<GpuClaimRecord> claims = {Claim(1, 1, {Gpu(0)}), Claim(2, 2)};
  const GpuDecision behind = Decide(Claim(3, 1), claims, Free(2));
  EXPECT_THAT(behind.gpus, IsEmpty());
  EXPECT_EQ(behind.reason, "waits for 1 GPU of 'gpu1': stage 'stage2' of run rs_01234567 came before");
  EXPECT_THAT(Decide(Claim(0, 1), claims, Free(2)).gpus, IsEmpty());  // it has not even asked yet
  claims[1].asleep = true;
  EXPECT_THAT(Decide(Claim(3, 1), claims, Free(2)).gpus, ElementsAre(Gpu(1)));
  claims[1].asleep = false;
  claims[1].host = "me@gpu2";
  EXPECT_THAT(Decide(Claim(3, 1), claims, Free(2)).gpus, ElementsAre(Gpu(1)));
}

TEST(GpuQueueTest, HigherPrioritiesComeFirst) {
  GpuClaimRecord urgent = Claim(5, 1);
  urgent.priority = 1;
  EXPECT_THAT(Decide(urgent, {Claim(2, 1)}, Free(1)).gpus, ElementsAre(Gpu(0)));
  EXPECT_THAT(Decide(Claim(2, 1), {urgent}, Free(1)).gpus, IsEmpty());
}

TEST(GpuQueueTest, OneGpuUnderTwoNamesOfItsHostIsStillOne) {
  GpuClaimRecord holder = Claim(1, 1, {{3, "GPU-0", "H100"}});
  holder.host = "alias";
  EXPECT_THAT(Decide(Claim(0, 1), {holder}, Free(1)).gpus, IsEmpty());
  // Without UUIDs a number means something on its host only.
  const std::vector<GpuCandidate> nameless = {{{0, "", ""}, "", ""}};
  EXPECT_THAT(Decide(Claim(0, 1), {Claim(1, 1, {{0, "", ""}})}, nameless).gpus, IsEmpty());
  GpuClaimRecord elsewhere = Claim(1, 1, {{0, "", ""}});
  elsewhere.host = "me@gpu2";
  EXPECT_THAT(Decide(Claim(0, 1), {elsewhere}, nameless).gpus, ElementsAre(LeasedGpu{0, "", ""}));
}

TEST(GpuQueueTest, WhatSomebodyElseUsesIsLeftAloneUnlessThatIsToBeIgnored) {
  std::vector<GpuCandidate> candidates = Free(2);
  candidates[0].used_by = "20.1 GB in use by python3 (pid 4242)";
  EXPECT_THAT(Decide(Claim(0, 1), {}, candidates).gpus, ElementsAre(Gpu(1)));
  const GpuDecision both = Decide(Claim(0, 2), {}, candidates);
  EXPECT_THAT(both.gpus, IsEmpty());
  EXPECT_TRUE(both.somebody_else);
  EXPECT_EQ(both.reason,
            "waits for 2 GPUs of 'gpu1': GPU 0: 20.1 GB in use by python3 (pid 4242); set `gpu_busy: ignore` to share "
            "it");
  EXPECT_THAT(Decide(Claim(0, 2), {}, candidates, true).gpus, ElementsAre(Gpu(0), Gpu(1)));
  // Not somebody else's fault as long as one of ours has the other one.
  EXPECT_FALSE(Decide(Claim(0, 2), {Claim(1, 1, {Gpu(1)})}, candidates).somebody_else);
}

TEST(GpuQueueTest, GpusOfAClaimSurviveAsTextAndGarbageIsNone) {
  EXPECT_THAT(LeasedGpusOf(Claim(1, 2, {Gpu(3), {4, "", ""}})), ElementsAre(Gpu(3), LeasedGpu{4, "", ""}));
  GpuClaimRecord claim = Claim(1, 1);
  for (const char* garbage : {"", "x", "{}", "[1]", "[{\"index\":\"a\"}]", "[{\"index\":0}]"}) {
    claim.devices = garbage;
    EXPECT_THAT(LeasedGpusOf(claim), IsEmpty()) << garbage;
  }
}

}  // namespace
}  // namespace cosmos
