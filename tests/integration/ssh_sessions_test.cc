// Hosts that allow few channels: many want one at once, nothing fails, and each gets what it asked for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using Phase = JobState::Phase;

class SshSessionsTest : public SshTargetTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    SshTargetTest::SetUp();
    if (IsSkipped()) return;
    SshServerOptions options;
    options.max_sessions = GetParam();
    Serve(options);
    UseAccount();
    Connect();
  }
};

INSTANTIATE_TEST_SUITE_P(MaxSessions, SshSessionsTest, ::testing::Values(1, 2, 3, 10),
                         ::testing::PrintToStringParamName());

TEST_P(SshSessionsTest, ManyCommandsAtOnce) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 15; ++i) {
        const std::string word = std::to_string(thread) + "." + std::to_string(i);
        const TargetOutput output = target_->Run("echo " + word + "; exit " + std::to_string(thread), 1h);
        EXPECT_EQ(output.output, word + "\n");
        EXPECT_EQ(output.exit_status, thread);
      }
    });
  }
  for (std::jthread& thread : threads) thread.join();
  EXPECT_EQ(server_->LoginCount(), 1) << server_->Log();
  EXPECT_EQ(changes(), "connected ");
}

TEST_P(SshSessionsTest, CommandsOneBehindTheOther) {
  for (int i = 0; i < 60; ++i) EXPECT_EQ(target_->Run("echo a", 1h).output, "a\n");
  EXPECT_EQ(server_->LoginCount(), 1) << server_->Log();
}

TEST_P(SshSessionsTest, CommandsThatAreStoppedLeaveTheirPlace) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(target_->Run("sleep 1000", 1s).timed_out);
    EXPECT_EQ(target_->Run("echo a", 1h).output, "a\n");
  }
}

TEST_P(SshSessionsTest, CommandsWatchesFollowersAndTransfersAtOnce) {
  constexpr int kJobs = 6;
  constexpr std::size_t kLogSize = 6 * 100;  // of 100 lines
  std::vector<std::jthread> threads;
  std::atomic<int> ended = 0;
  for (int job = 0; job < kJobs; ++job) {
    const std::string name = std::to_string(job);
    threads.emplace_back([this, job, name, &ended] {
      const JobHandle handle =
          target_->Submit(Order(name, "for i in $(seq 100 199); do echo $i$i; done; sleep 1; exit " + name)).handle;
      std::jthread follower([&] {
        std::string expected;
        for (int i = 100; i < 200; ++i) expected += std::to_string(i) + std::to_string(i) + "\n";
        expected.resize(kLogSize);
        EXPECT_EQ(FollowToTheEnd(handle, kLogSize).substr(0, kLogSize), expected);
      });
      EXPECT_EQ(WaitForEnd(handle).exit_status, job);
      follower.join();
      EXPECT_TRUE(target_->Cancel(handle, 1h));
      ++ended;
    });
  }
  threads.emplace_back([this] {
    const std::string bytes = Bytes(2'000'000, 1);
    WriteFile(folder_ / "a", bytes);
    for (int i = 0; i < 5; ++i) {
      target_->Upload({{folder_ / "a", there() + "/a" + std::to_string(i)}}, "me", cancel_, {});
      EXPECT_THAT(target_->Download({{folder_ / "b", there() + "/a" + std::to_string(i)}}, cancel_, {}),
                  ElementsAre(Downloaded::kDone));
      EXPECT_TRUE(ReadFile(folder_ / "b") == bytes);
      fs::remove(folder_ / "b");
    }
  });
  while (ended < kJobs) EXPECT_EQ(target_->Run("echo said", 1h).output, "said\n");
  for (std::jthread& thread : threads) thread.join();
  EXPECT_EQ(server_->LoginCount(), 1) << server_->Log();
  EXPECT_EQ(changes(), "connected ");
  target_.reset();
  Await("end of all on the host", [&] { return server_->Processes().empty(); });
}

TEST_P(SshSessionsTest, FollowersGiveWayToShortCommands) {
  const JobHandle handle = target_->Submit(Order("a", "echo line; sleep 1000")).handle;
  CancelToken stop;
  std::atomic<int> busy = 0;
  std::vector<std::jthread> followers;
  for (int i = 0; i < 12; ++i) {
    followers.emplace_back([&] {
      if (target_->FollowLog(handle, 0, stop, [](std::string_view) {}) == FollowEnd::kBusy) ++busy;
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(target_->Run("echo said", 1h).output, "said\n");
  // One channel is left to commands, where there is more than one at all.
  Await("followers that found no room", [&] { return busy == 12 - std::max(0, GetParam() - 1); });
  EXPECT_EQ(target_->Run("echo said", 1h).output, "said\n");
  EXPECT_EQ(changes(), "connected ") << server_->Log();
  stop.Cancel();
  for (std::jthread& follower : followers) follower.join();
  EXPECT_EQ(busy, 12 - std::max(0, GetParam() - 1));
}

TEST_P(SshSessionsTest, JobsThatCannotBeWatchedAreAskedFor) {
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 12; ++i) {
    waiters.emplace_back([this, i] {
      const JobHandle handle = target_->Submit(Order(std::to_string(i), "sleep 1; exit " + std::to_string(i))).handle;
      EXPECT_EQ(WaitForEnd(handle).exit_status, i);
    });
  }
  for (std::jthread& waiter : waiters) waiter.join();
  EXPECT_EQ(server_->LoginCount(), 1) << server_->Log();
}

}  // namespace
}  // namespace cosmos::testing
