// How long a host that cannot be reached is waited for: for ever, until the engine is cancelled or gives up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class SshPatienceTest : public SshTargetTest {
 protected:
  void SetUp() override {
    SshTargetTest::SetUp();
    if (IsSkipped()) return;
    Serve();
    UseAccount();
  }
  // Connects as Connect() does, and keeps the reasons of losses.
  void TellLosses() {
    target_ = std::make_unique<SshTarget>(Options(account_->name()), there(), &cancel_, [this](const auto& change) {
      const std::lock_guard lock(losses_mutex_);
      if (change.kind == ConnectionChange::Kind::kLost) losses_.push_back(change.reason);
    });
  }
  int LossesWith(const std::string& text) {
    const std::lock_guard lock(losses_mutex_);
    return static_cast<int>(std::count_if(
        losses_.begin(), losses_.end(), [&](const std::string& loss) { return loss.find(text) != std::string::npos; }));
  }
  // Two minutes are a bound for broken code, not for slow machines.
  void AwaitLossWith(const std::string& text) {
    for (int i = 0; i < 12000 && LossesWith(text) == 0; ++i) std::this_thread::sleep_for(10ms);
  }
  // Why `ask` ends although nobody can be reached.
  Error Failure(const std::function<void()>& ask) {
    try {
      ask();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was done";
    return Error(ErrorCode::kInternal, "");
  }

 private:
  std::mutex losses_mutex_;
  std::vector<std::string> losses_;
};

TEST_F(SshPatienceTest, AHostThatIsDownForAWhileIsWaitedFor) {
  Connect();
  EXPECT_EQ(target_->Run("echo 1", 1h).output, "1\n");
  server_->Stop();
  std::jthread starter([&] {
    std::this_thread::sleep_for(2s);
    server_->Start();
  });
  EXPECT_EQ(target_->Run("echo 2", 1s).output, "2\n");  // the time without a connection does not count
  starter.join();
  EXPECT_EQ(changes(), "connected lost reconnected ");
}

// Both need somebody who does something, which the loss of the connection does not say.
TEST_F(SshPatienceTest, AHostKeyThatChangesMeanwhileIsSaidOnceWithWhatToDo) {
  TellLosses();
  EXPECT_EQ(target_->Run("echo 1", 1h).output, "1\n");
  server_->NewHostKey();
  std::jthread helper([&] {
    AwaitLossWith("host key");
    std::this_thread::sleep_for(3s);  // further tries are made, and say nothing new
    std::filesystem::remove(server_->known_hosts());
    server_->TrustAt(server_->port());
  });
  EXPECT_EQ(target_->Run("echo 2", 1h).output, "2\n");
  helper.join();
  EXPECT_EQ(LossesWith("the host key of"), 1);
  EXPECT_EQ(LossesWith("ssh-keygen -R"), 1);
  EXPECT_EQ(LossesWith(server_->host_key_fingerprint()), 1);
}

TEST_F(SshPatienceTest, ALoginThatIsRefusedMeanwhileIsSaidOnceWithWhatToDo) {
  TellLosses();
  EXPECT_EQ(target_->Run("echo 1", 1h).output, "1\n");
  const std::filesystem::path key = server_->identity(), aside = key.string() + ".aside";
  std::filesystem::rename(key, aside);
  server_->CutAll();
  std::jthread helper([&] {
    AwaitLossWith("cannot be read");
    std::filesystem::rename(aside, key);
  });
  EXPECT_EQ(target_->Run("echo 2", 1h).output, "2\n");
  helper.join();
  EXPECT_EQ(LossesWith("check `identity:` of the target"), 1);
}

TEST_F(SshPatienceTest, AHostKeyThatIsForgottenMeanwhileIsSaidOnce) {
  TellLosses();
  EXPECT_EQ(target_->Run("echo 1", 1h).output, "1\n");
  std::filesystem::resize_file(server_->known_hosts(), 0);
  server_->CutAll();
  std::jthread helper([&] {
    AwaitLossWith("is not known");
    server_->TrustAt(server_->port());
  });
  EXPECT_EQ(target_->Run("echo 2", 1h).output, "2\n");
  helper.join();
  EXPECT_EQ(LossesWith("accept it with"), 1);
}

TEST_F(SshPatienceTest, AfterACancellationAHostThatIsDownIsWaitedForNoLonger) {
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "sleep 1000")).handle;
  server_->Stop();
  std::jthread canceller([&] {
    std::this_thread::sleep_for(300ms);
    cancel_.Cancel();
  });
  const Error error = Failure([&] { target_->Poll(handle); });
  canceller.join();
  EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
  EXPECT_THAT(error.message(), HasSubstr("cannot be reached"));
  EXPECT_THAT(error.hint(), HasSubstr("resume"));
  server_->Start();
}

TEST_F(SshPatienceTest, AfterACancellationEachOutageIsGivenSomeTime) {
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "sleep 1000")).handle;
  cancel_.Cancel();
  for (int outage = 0; outage < 2; ++outage) {
    server_->Stop();
    std::jthread starter([&] {
      std::this_thread::sleep_for(2s);
      server_->Start();
    });
    EXPECT_TRUE(target_->Cancel(handle, 1h));  // so that jobs can be ended
    starter.join();
    if (outage == 0) std::this_thread::sleep_for(15s);
  }
  server_->Stop();
  EXPECT_EQ(Failure([&] { target_->Poll(handle); }).code(), ErrorCode::kConnectionLost);
}

TEST_F(SshPatienceTest, AnEngineThatGivesUpWaitsForNoHost) {
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "sleep 1000")).handle;
  WriteFile(folder_ / "a", Bytes(10'000'000, 1));
  server_->Stop();
  cancel_.Abandon();
  const CancelToken never;
  EXPECT_EQ(Failure([&] { target_->Poll(handle); }).code(), ErrorCode::kConnectionLost);
  EXPECT_EQ(Failure([&] {
              target_->Upload({{folder_ / "a", there() + "/a"}}, "me", never, {});
            }).code(),
            ErrorCode::kConnectionLost);
  EXPECT_EQ(Failure([&] { target_->Reach(1h); }).code(), ErrorCode::kConnectionLost);
}

TEST_F(SshPatienceTest, ALargeUploadIsGivenUpInTheMiddle) {
  WriteFile(folder_ / "a", Bytes(20'000'000, 1));
  Connect();
  target_->Workdir();
  const CancelToken never;
  const Error error = Failure([&] {
    target_->Upload({{folder_ / "a", there() + "/a"}}, "me", never, [&](std::int64_t done, std::int64_t) {
      if (done < 2'000'000 || cancel_.cancelled()) return;
      server_->Stop();
      cancel_.Abandon();
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
}

TEST_F(SshPatienceTest, AfterACancellationWhatWaitsForAChannelIsNotGivenUp) {
  SshServerOptions options;
  options.max_sessions = 1;
  Serve(options);
  UseAccount();
  Connect();
  cancel_.Cancel();
  std::atomic<bool> begun = false;
  std::jthread longer([&] {
    begun = true;
    EXPECT_EQ(target_->Run("sleep 18; echo a", 1h).output, "a\n");
  });
  Await("first command", [&] { return begun.load(); });
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(target_->Run("echo b", 1h).output, "b\n");
  longer.join();
}

}  // namespace
}  // namespace cosmos::testing
