// Connections that break: what was asked for is done, once the host can be reached again, and is done right.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr const char* kOneCut = "connected lost reconnected ";

class SshCutsTest : public SshTargetTest {
 protected:
  void SetUp() override {
    SshTargetTest::SetUp();
    if (IsSkipped()) return;
    Serve();
    UseAccount();
  }
  // Waits until a file is there on the host, which is this machine.
  static void AwaitFile(const std::string& path) {
    Await(path, [&] { return fs::exists(path); });
  }
};

TEST_F(SshCutsTest, ACommandThatWasCutIsRunAgain) {
  Connect();
  target_->Workdir();
  std::jthread cutter([&] {
    AwaitFile(there() + "/begun");
    server_->CutAll();
    WriteFile(there() + "/go", "");
  });
  const TargetOutput output = target_->Run(
      "cd " + ShellQuote(there()) + "\necho x >>begun\nuntil [ -e go ]; do sleep 0.05; done\necho $(wc -l <begun) done",
      1h);
  cutter.join();
  EXPECT_EQ(output.output, "2 done\n");
  EXPECT_EQ(output.exit_status, 0);
  EXPECT_EQ(changes(), kOneCut);
}

TEST_F(SshCutsTest, AJobIsSubmittedOnceWhateverBreaks) {
  Connect();
  for (int i = 0; i < 15; ++i) {
    const std::string name = std::to_string(i);
    std::jthread cutter([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(4 * i));
      server_->CutAll();
    });
    const Submission submission = target_->Submit(Order(name, "echo x >>count." + name));
    cutter.join();
    EXPECT_FALSE(submission.attached);  // by nobody else
    EXPECT_EQ(WaitForEnd(submission.handle).exit_status, 0);
    EXPECT_EQ(ReadFile(there() + "/count." + name), "x\n");
  }
}

TEST_F(SshCutsTest, AJobsEndIsHeardOfAfterACut) {
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "until [ -e go ]; do sleep 0.05; done; exit 7")).handle;
  std::jthread cutter([&] {
    Await("watch", [&] { return !CommandsThere().empty(); });
    server_->CutAll();
    Await("watch", [&] { return changes() == kOneCut && !CommandsThere().empty(); });
    WriteFile(there() + "/go", "");
  });
  EXPECT_EQ(WaitForEnd(handle).exit_status, 7);
  cutter.join();
  EXPECT_EQ(changes(), kOneCut);
}

TEST_F(SshCutsTest, AJobThatEndsDuringAnOutageIsHeardOf) {
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "until [ -e go ]; do sleep 0.05; done; exit 7")).handle;
  std::jthread stopper([&] {
    Await("watch", [&] { return !CommandsThere().empty(); });
    server_->Stop();
    WriteFile(there() + "/go", "");
    AwaitFile(handle.folder + "/exit_status");
    server_->Start();
  });
  EXPECT_EQ(WaitForEnd(handle).exit_status, 7);
  stopper.join();
}

TEST_F(SshCutsTest, AFollowerIsToldAndGoesOnWhereItWas) {
  Connect();
  const std::string script =
      "for i in $(seq 1000 1499); do echo $i; sleep 0.002; done\n"
      "until [ -e go ]; do sleep 0.05; done\n"
      "for i in $(seq 1500 1999); do echo $i; done; sleep 1000";
  const JobHandle handle = target_->Submit(Order("a", script)).handle;
  std::jthread cutter([&] {
    for (int i = 0; i < 3; ++i) {
      Await("follower", [&] { return !CommandsThere().empty(); });
      std::this_thread::sleep_for(200ms);
      server_->CutAll();
    }
    WriteFile(there() + "/go", "");
  });
  std::string expected;
  for (int i = 1000; i < 2000; ++i) expected += std::to_string(i) + "\n";
  std::vector<FollowEnd> ends;
  EXPECT_EQ(FollowToTheEnd(handle, expected.size(), &ends), expected);
  cutter.join();
  EXPECT_THAT(ends, Contains(FollowEnd::kLost));
  EXPECT_EQ(ends.back(), FollowEnd::kStopped);
}

TEST_F(SshCutsTest, AnUploadGoesOnWhereItWasCut) {
  constexpr std::int64_t kSize = 16'000'000;
  const std::string bytes = Bytes(kSize, 1);
  WriteFile(folder_ / "a", bytes);
  PutProxy();
  Connect();
  target_->Workdir();
  for (const bool reset : {true, false}) {
    const std::uint64_t before = proxy_->BytesForwarded();
    std::int64_t most = 0;
    bool cut = false;
    proxy_->SetThrottle(10'000'000);
    target_->Upload({{folder_ / "a", there() + "/a"}}, "me", cancel_, [&](std::int64_t done, std::int64_t total) {
      EXPECT_EQ(total, kSize);
      most = std::max(most, done);
      if (cut || done < kSize - 1'000'000) return;
      cut = true;
      reset ? proxy_->ResetAll() : proxy_->CutAll();
    });
    EXPECT_TRUE(cut);
    EXPECT_EQ(most, kSize);
    EXPECT_TRUE(ReadFile(there() + "/a") == bytes);
    EXPECT_THAT(Names(there()), ElementsAre("a"));
    // Most of what was sent had arrived; about 4 MB were buffered on this side, and as many on their way.
    EXPECT_LT(proxy_->BytesForwarded() - before, static_cast<std::uint64_t>(kSize) + 6'000'000u);
    fs::remove(there() + "/a");
  }
  EXPECT_THAT(changes(), StartsWith(kOneCut));
}

TEST_F(SshCutsTest, ADownloadGoesOnWhereItWasCut) {
  constexpr std::int64_t kSize = 16'000'000;
  const std::string bytes = Bytes(kSize, 2);
  PutProxy();
  Connect();
  WriteFile(target_->Workdir() + "/a", bytes, kShared);  // for the account
  for (const bool reset : {true, false}) {
    const std::uint64_t before = proxy_->BytesForwarded();
    bool cut = false;
    proxy_->SetThrottle(10'000'000);
    const std::vector<Downloaded> found =
        target_->Download({{folder_ / "b", there() + "/a"}}, cancel_, [&](std::int64_t done, std::int64_t total) {
          EXPECT_EQ(total, kSize);
          if (cut || done < kSize / 2) return;
          cut = true;
          reset ? proxy_->ResetAll() : proxy_->CutAll();
        });
    EXPECT_THAT(found, ElementsAre(Downloaded::kDone));
    EXPECT_TRUE(cut);
    EXPECT_TRUE(ReadFile(folder_ / "b") == bytes);
    EXPECT_FALSE(fs::exists(folder_ / ".b.part"));
    EXPECT_LT(proxy_->BytesForwarded() - before, static_cast<std::uint64_t>(kSize) + 6'000'000u);
    fs::remove(folder_ / "b");
  }
  EXPECT_THAT(changes(), StartsWith(kOneCut));
}

TEST_F(SshCutsTest, AnUploadThatAnEarlierEngineBeganIsGoneOnWith) {
  const std::string bytes = Bytes(4'000'000, 3);
  WriteFile(folder_ / "a", bytes);
  PutProxy();
  Connect();
  WriteFile(target_->Workdir() + "/a.me.part", bytes.substr(0, 3'900'000));
  WriteFile(target_->Workdir() + "/b.me.part", "something else");
  for (const char* name : {"/a.me.part", "/b.me.part"}) fs::permissions(there() + name, fs::perms::all);
  const std::uint64_t before = proxy_->BytesForwarded();
  target_->Upload({{folder_ / "a", there() + "/a"}}, "me", cancel_, {});
  EXPECT_TRUE(ReadFile(there() + "/a") == bytes);
  EXPECT_LT(proxy_->BytesForwarded() - before, 1'000'000u);
  target_->Upload({{folder_ / "a", there() + "/b"}}, "me", cancel_, {});
  EXPECT_TRUE(ReadFile(there() + "/b") == bytes);
  EXPECT_FALSE(fs::exists(there() + "/b.me.part"));
}

TEST_F(SshCutsTest, OfManyThatWaitEachGetsItsOwn) {
  Connect();
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i, &done] {
      for (int k = 0; k < 20; ++k) {
        const std::string word = std::to_string(i) + "." + std::to_string(k);
        EXPECT_EQ(target_->Run("echo " + word, 1h).output, word + "\n");
      }
      ++done;
    });
  }
  for (int cuts = 0; cuts < 3 && done < 8; ++cuts) {
    std::this_thread::sleep_for(300ms);
    server_->CutAll();
  }
  for (std::jthread& thread : threads) thread.join();
  EXPECT_THAT(changes(), StartsWith("connected "));
}

}  // namespace
}  // namespace cosmos::testing
