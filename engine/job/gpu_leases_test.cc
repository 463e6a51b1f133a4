#include "job/gpu_leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "job/fake_target.h"
#include "store/store_test_support.h"

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = GpuAnswer::Kind;

class ManualClock final : public Clock {
 public:
  WallTime Wall() override { return WallTime(now_.load()); }
  SteadyTime Steady() override { return SteadyTime(now_.load()); }
  void Advance(Duration duration) { now_ = now_.load() + duration; }

 private:
  std::atomic<Duration> now_ = Duration(std::chrono::hours(1));
};

constexpr const char* kNoNvidiaSmi = "no_nvidia_smi\ngpu_end\n";

// What a host says whose first GPU looks so.
std::string Gpu0(const std::string& used, const std::string& apps = "") {
  return "gpu_columns 14\nnvidia_smi 0\ngpu 0, GPU-0, 00000000:4F:00.0, 550.1, 0, " + used +
         ", 81559, 60000, 30, 70, 345, 2619, Disabled, NVIDIA H100\n" + apps + "gpu_end\n";
}

class GpuLeasesTest : public testing::Test {
 protected:
  GpuLeasesTest() : store_(RunStore::Open(folder_ / "runs.db")) {
    for (const char* run : {"rs_a", "rs_b", "rs_c"}) store_->PutRun(SomeRun(run));
    target_.SetAnswer(kNoNvidiaSmi);
  }

  GpuLeases Make(RunStore* store) {
    return GpuLeases(store, &clock_, GpuCache(""),
                     {[this](const std::string& run, const std::string&) { return !dead_.contains(run); },
                      [this](const GpuClaimRecord& claim, Target*) {
                        ++job_questions_;
                        return jobs_.contains(claim.run_id);
                      }});
  }
  GpuRequest Request(const std::string& run, int gpus = 1) {
    GpuRequest request;
    request.context.run_id = run;
    request.context.stage = "render";
    request.target = "gpu1";
    request.host = "host";
    request.gpus = gpus;
    request.most = 2;
    return request;
  }
  GpuAnswer Ask(const GpuRequest& request) { return leases_.Ask(request, &target_); }

  TemporaryFolder folder_;
  ManualClock clock_;
  std::unique_ptr<RunStore> store_;
  std::set<std::string> dead_;  // runs without an engine
  std::set<std::string> jobs_;  // of which a job runs
  int job_questions_ = 0;
  FakeTarget target_;
  GpuLeases leases_ = Make(store_.get());
};

TEST_F(GpuLeasesTest, GivesGpusOnceAndTheNextWhenTheyAreBack) {
  EXPECT_EQ(Ask(Request("rs_a")).gpus.at(0).index, 0);
  EXPECT_EQ(Ask(Request("rs_a")).gpus.at(0).index, 0);  // it has them
  EXPECT_THAT(LeasedGpusOf(store_->GpuClaims().at(0)), ElementsAre(LeasedGpu{0, "", ""}));
  EXPECT_EQ(Ask(Request("rs_b")).gpus.at(0).index, 1);
  const GpuAnswer waits = Ask(Request("rs_c"));
  EXPECT_EQ(waits.kind, Kind::kWaits);
  EXPECT_THAT(waits.reason, HasSubstr("GPU 0 is held by stage 'render' of run rs_a; GPU 1 is held by"));
  EXPECT_THAT(LeasedGpusOf(store_->GpuClaims().at(2)), IsEmpty());
  EXPECT_EQ(store_->GpuClaims().at(2).reason, waits.reason);

  clock_.Advance(std::chrono::seconds(90));
  leases_.Release(Request("rs_a").context);
  const GpuAnswer granted = Ask(Request("rs_c"));
  EXPECT_EQ(granted.kind, Kind::kGranted);
  EXPECT_EQ(granted.gpus.at(0).index, 0);
  EXPECT_EQ(granted.waited, std::chrono::seconds(90));
  leases_.ReleaseAll("rs_c");
  leases_.ReleaseAll("rs_b");
  EXPECT_THAT(store_->GpuClaims(), IsEmpty());
}

TEST_F(GpuLeasesTest, WhoCameFirstIsServedFirstAlsoWhenItAsksForMore) {
  Ask(Request("rs_a"));
  EXPECT_EQ(Ask(Request("rs_b", 2)).kind, Kind::kWaits);
  EXPECT_EQ(Ask(Request("rs_c")).kind, Kind::kWaits);
  leases_.Sleep("rs_b");
  EXPECT_EQ(Ask(Request("rs_c")).kind, Kind::kGranted);
  leases_.ReleaseAll("rs_c");
  EXPECT_EQ(Ask(Request("rs_b", 2)).kind, Kind::kWaits);  // awake again, in its old place
  EXPECT_EQ(Ask(Request("rs_c")).kind, Kind::kWaits);
  leases_.ReleaseAll("rs_a");
  EXPECT_EQ(Ask(Request("rs_b", 2)).gpus.size(), 2u);
}

TEST_F(GpuLeasesTest, TheLeaseOfAHolderThatIsGoneIsFreeAtOnce) {
  Ask(Request("rs_a", 2));
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kWaits);
  dead_.insert("rs_a");
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kGranted);
  EXPECT_EQ(store_->GpuClaims().size(), 1u);
}

TEST_F(GpuLeasesTest, AHolderIsNotGoneWhileItsJobRuns) {
  Ask(Request("rs_a", 2));
  dead_.insert("rs_a");
  jobs_.insert("rs_a");
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kWaits);
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kWaits);
  EXPECT_EQ(job_questions_, 1);  // the target is not asked without end
  jobs_.clear();
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kGranted);
}

TEST_F(GpuLeasesTest, WhoWaitedAndIsGoneHoldsNobodyUp) {
  Ask(Request("rs_a", 2));
  Ask(Request("rs_b", 2));
  dead_.insert("rs_b");
  leases_.ReleaseAll("rs_a");
  EXPECT_EQ(Ask(Request("rs_c")).kind, Kind::kGranted);
}

TEST_F(GpuLeasesTest, OnlyTheNumbersOfTheConfigurationAreGivenWhereNobodyTellsOfGpus) {
  GpuRequest request = Request("rs_a", 3);  // the check of the workflow refuses it where `gpus:` is less
  EXPECT_EQ(Ask(request).gpus.size(), 3u);
  EXPECT_EQ(Ask(Request("rs_b")).kind, Kind::kWaits);
}

TEST_F(GpuLeasesTest, ManyEnginesNeverShareAGpu) {
  constexpr int kEngines = 6, kTurns = 15;
  std::atomic<int> holders{0}, most{0}, served{0};
  for (int i = 0; i < kEngines; ++i) store_->PutRun(SomeRun("rs_" + std::to_string(i)));
  std::vector<std::thread> threads;
  for (int i = 0; i < kEngines; ++i) {
    threads.emplace_back([&, i] {
      const auto store = RunStore::Open(folder_ / "runs.db");  // as another process has it
      SystemClock clock;
      GpuLeases leases(store.get(), &clock, GpuCache(""),
                       {[](const auto&, const auto&) { return true; }, [](const auto&, Target*) { return true; }});
      FakeTarget target;
      target.SetAnswer(kNoNvidiaSmi);
      for (int turn = 0; turn < kTurns; ++turn) {
        GpuRequest request = Request("rs_" + std::to_string(i));
        request.most = 1;
        request.context.attempt = turn + 1;
        while (leases.Ask(request, &target).kind != Kind::kGranted) std::this_thread::yield();
        const int now = ++holders;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        ++served;
        --holders;
        leases.Release(request.context);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(served, kEngines * kTurns);
}

class BusyGpusTest : public GpuLeasesTest {
 protected:
  BusyGpusTest() { target_.SetAnswer(Gpu0("20000", "app GPU-0, 4242, 20000, /usr/bin/python3\n")); }
};

TEST_F(BusyGpusTest, WaitsForWhatSomebodyElseUsesAndSaysWhatToSet) {
  const GpuAnswer waits = Ask(Request("rs_a"));
  EXPECT_EQ(waits.kind, Kind::kWaits);
  EXPECT_EQ(waits.reason,
            "waits for 1 GPU of 'gpu1': GPU 0: 21.0 GB in use by python3 (pid 4242); set `gpu_busy: ignore` to share "
            "it");
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Ask(Request("rs_a")).kind, Kind::kWaits);
  target_.SetAnswer(Gpu0("0"));
  const GpuAnswer granted = Ask(Request("rs_a"));
  EXPECT_THAT(granted.gpus, ElementsAre(LeasedGpu{0, "GPU-0", "NVIDIA H100"}));
}

TEST_F(BusyGpusTest, MemoryThatComesAndGoesIsNoNewReason) {
  const std::string reason = Ask(Request("rs_a")).reason;
  target_.SetAnswer(Gpu0("30000", "app GPU-0, 4242, 30000, /usr/bin/python3\n"));
  EXPECT_EQ(Ask(Request("rs_a")).reason, reason);
  target_.SetAnswer(Gpu0("30000", "app GPU-0, 4243, 30000, /usr/bin/blender\n"));
  EXPECT_THAT(Ask(Request("rs_a")).reason, HasSubstr("31.5 GB in use by blender (pid 4243)"));
}

TEST_F(BusyGpusTest, FailsOnlyWhenItStaysSo) {
  GpuRequest request = Request("rs_a");
  request.busy = GpuBusy::kFail;
  EXPECT_EQ(Ask(request).kind, Kind::kWaits);  // the processes of a job that just ended take a moment to go
  clock_.Advance(std::chrono::seconds(6));
  const GpuAnswer refused = Ask(request);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_TRUE(refused.possible);
  EXPECT_THAT(refused.reason, HasSubstr("python3 (pid 4242"));
  EXPECT_THAT(store_->GpuClaims(), IsEmpty());
}

TEST_F(BusyGpusTest, IgnoresItWhenToldTo) {
  GpuRequest request = Request("rs_a");
  request.busy = GpuBusy::kIgnore;
  EXPECT_EQ(Ask(request).kind, Kind::kGranted);
}

TEST_F(BusyGpusTest, RefusesMoreThanThereAre) {
  const GpuAnswer refused = Ask(Request("rs_a", 2));
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_FALSE(refused.possible);
  EXPECT_EQ(refused.reason, "nvidia-smi lists 1 GPU on 'gpu1', expected 2; ask for fewer, or choose another target");
  EXPECT_THAT(store_->GpuClaims(), IsEmpty());
}

// A driver that does not answer, or not to the end, says nothing about its GPUs.
class SilentDriverTest : public GpuLeasesTest, public testing::WithParamInterface<const char*> {};

TEST_P(SilentDriverTest, IsAskedAgainAndNothingIsGuessed) {
  target_.SetAnswer(GetParam());
  EXPECT_EQ(Ask(Request("rs_a")).kind, Kind::kWaits);
  clock_.Advance(std::chrono::hours(1));
  const GpuAnswer waits = Ask(Request("rs_a"));
  EXPECT_EQ(waits.kind, Kind::kWaits);
  EXPECT_THAT(waits.reason, HasSubstr("; the driver is asked again"));
  GpuRequest failing = Request("rs_b");
  failing.busy = GpuBusy::kFail;
  leases_.ReleaseAll("rs_a");
  EXPECT_EQ(Ask(failing).kind, Kind::kWaits);
  clock_.Advance(std::chrono::seconds(6));
  const GpuAnswer refused = Ask(failing);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_TRUE(refused.possible);
  GpuRequest ignoring = Request("rs_c");
  ignoring.busy = GpuBusy::kIgnore;
  EXPECT_EQ(Ask(ignoring).kind, Kind::kWaits);
  clock_.Advance(std::chrono::seconds(6));
  EXPECT_EQ(Ask(ignoring).kind, Kind::kGranted);
  leases_.ReleaseAll("rs_c");
  target_.SetAnswer(Gpu0("0"));
  EXPECT_EQ(Ask(Request("rs_a")).kind, Kind::kGranted);
}

INSTANTIATE_TEST_SUITE_P(
    All, SilentDriverTest,
    testing::Values("", "nvidia_smi 124\ngpu_end\n",
                    "nvidia_smi 9\ngpu NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA "
                    "driver.\ngpu_end\n",
                    "nvidia_smi 18\ngpu_error Failed to initialize NVML: Driver/library version mismatch\ngpu_end\n",
                    // Cut short behind the first of its GPUs, and by the question for processes.
                    "gpu_columns 14\nnvidia_smi 0\ngpu 0, GPU-0, 00000000:4F:00.0, 550.1, 0, 0, 81559, 60000, 30, 70, "
                    "345, 2619, Disabled, H100\n",
                    "gpu_columns 14\nnvidia_smi 0\ngpu 0, GPU-0, 00000000:4F:00.0, 550.1, 0, 0, 81559, 60000, 30, 70, "
                    "345, 2619, Disabled, H100\napp_status 124\ngpu_end\n",
                    "nvidia_smi 0\ngpu_end\n"));

TEST_F(GpuLeasesTest, GpusOutOfOrderAreNamedAndRefusedWhenItStaysSo) {
  const std::string answer =
      "gpu_columns 14\nnvidia_smi 15\n"
      "gpu 0, GPU-0, 00000000:4F:00.0, 550.1, 0, 0, 81559, 60000, 30, 70, 345, 2619, Disabled, H100\n"
      "gpu Unable to determine the device handle for GPU1: 0000:52:00.0: Unknown Error\ngpu_end\n";
  target_.SetAnswer(answer);
  EXPECT_THAT(Ask(Request("rs_a", 2)).reason, HasSubstr("GPU 1 (0000:52:00.0): Unknown Error"));
  clock_.Advance(std::chrono::seconds(6));
  const GpuAnswer refused = Ask(Request("rs_a", 2));
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_TRUE(refused.possible);
  EXPECT_THAT(refused.reason, testing::StartsWith("1 GPU on 'gpu1' works, expected 2; GPU 1 (0000:52:00.0): Unknown"));
  EXPECT_THAT(store_->GpuClaims(), IsEmpty());
  EXPECT_EQ(Ask(Request("rs_a", 1)).kind, Kind::kGranted);
}

TEST_F(GpuLeasesTest, AnAttemptKeepsItsGpusWhateverBecomesOfThem) {
  target_.SetAnswer(Gpu0("0"));
  EXPECT_EQ(Ask(Request("rs_a")).kind, Kind::kGranted);
  for (const char* answer : {"", "nvidia_smi 9\ngpu_end\n", "nvidia_smi 6\ngpu No devices were found\ngpu_end\n"}) {
    target_.SetAnswer(answer);
    clock_.Advance(std::chrono::seconds(6));
    EXPECT_EQ(Ask(Request("rs_a")).gpus.size(), 1u);
  }
}

// The real cache, whose age is real time: an attempt that has waited long makes do with an old reading.
TEST_F(GpuLeasesTest, WhoWaitsLongAsksLessOften) {
  int asked = 0;
  GpuLeases leases(store_.get(), &clock_, GpuCache(folder_ / "cache"),
                   {[](const auto&, const auto&) { return true; }, [](const auto&, Target*) { return true; }});
  target_.SetAnswer(Gpu0("20000", "app GPU-0, 4242, 20000, python3\n"));
  target_.OnRun([&] { ++asked; });
  EXPECT_EQ(leases.Ask(Request("rs_a"), &target_).kind, Kind::kWaits);
  clock_.Advance(std::chrono::hours(1));
  for (int i = 0; i < 40; ++i) {  // for 1 s; a reading lives for 30 s by now
    EXPECT_EQ(leases.Ask(Request("rs_a"), &target_).kind, Kind::kWaits);
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace cosmos
