// What an SSH target does on a real host that is there. See also ssh_login_test.cc, ssh_sessions_test.cc,
// ssh_files_test.cc and ssh_cuts_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/sha256.h"
#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Phase = JobState::Phase;

TEST_F(SshTargetTest, RunsAShortCommand) {
  Serve();
  Connect();
  const TargetOutput output = target_->Run("echo out; echo err >&2; cat; exit 3", 1h);
  EXPECT_EQ(output.exit_status, 3);
  EXPECT_EQ(output.output, "out\n");
  EXPECT_EQ(output.errors, "err\n");
  EXPECT_FALSE(output.timed_out);
  EXPECT_EQ(target_->Run("if then", 1h).exit_status, 2);
  EXPECT_EQ(target_->Run("", 1h).exit_status, 0);
  EXPECT_EQ(target_->Run("printf 'a\\0b'", 1h).output, std::string("a\0b", 3));
}

TEST_F(SshTargetTest, KillsACommandThatTakesTooLong) {
  Serve();
  Connect();
  const TargetOutput output = target_->Run("echo begun; sleep 1000 & sleep 1000", 1s);
  EXPECT_TRUE(output.timed_out);
  EXPECT_EQ(output.output, "begun\n");
  EXPECT_NE(output.exit_status, 0);
  Await("end of the command", [&] { return CommandsThere().empty(); });
  EXPECT_EQ(target_->Run("echo again", 1h).output, "again\n");
}

TEST_F(SshTargetTest, BoundsWhatACommandPrints) {
  Serve();
  Connect();
  const TargetOutput output =
      target_->Run("head -c 9000000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; exit 4", 1h);
  EXPECT_EQ(output.exit_status, 4);
  EXPECT_EQ(output.output.substr(0, 5), "xxxxx");
  EXPECT_LE(output.output.size(), 1u << 20);
  EXPECT_LE(output.errors.size(), 64u << 10);
}

TEST_F(SshTargetTest, RunsAJobThatAnotherEngineFindsAgain) {
  Serve();
  Connect();
  const JobOrder order = Order("a", "echo out; until [ -e go ]; do sleep 0.05; done; echo end; exit 3");
  EXPECT_EQ(target_->Find(order.folder), std::nullopt);
  const Submission submission = target_->Submit(order);
  EXPECT_FALSE(submission.attached);
  EXPECT_TRUE(target_->Submit(order).attached);
  EXPECT_EQ(target_->Poll(submission.handle).phase, Phase::kRunning);
  Connect();  // another engine
  const auto handle = target_->Find(order.folder);
  ASSERT_TRUE(handle);
  EXPECT_EQ(handle->pid, submission.handle.pid);
  EXPECT_EQ(handle->pid_start_time, submission.handle.pid_start_time);
  CancelToken never;
  EXPECT_EQ(target_->Wait(*handle, never, 50ms).phase, Phase::kRunning);
  WriteFile(there() + "/go", "");
  const JobState state = WaitForEnd(*handle);
  EXPECT_EQ(state.exit_status, 3);
  EXPECT_EQ(target_->ReadLog(*handle, 0, 100).bytes, "out\nend\n");
  EXPECT_EQ(target_->ReadLog(*handle, 6, 100).bytes, "d\n");
  EXPECT_EQ(target_->ReadLog(*handle, 6, 100).size, 8);
  EXPECT_EQ(target_->DigestOfLog(*handle, -1).sha256, Sha256("out\nend\n"));
  EXPECT_EQ(target_->DigestOfLog(*handle, 4).sha256, Sha256("out\n"));
  EXPECT_EQ(target_->DigestOfLog(*handle, 4).size, 4);
}

TEST_F(SshTargetTest, WaitEndsWhenItIsCancelled) {
  Serve();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "sleep 1000")).handle;
  CancelToken cancel;
  std::jthread canceller([&] {
    std::this_thread::sleep_for(300ms);
    cancel.Cancel();
  });
  EXPECT_EQ(target_->Wait(handle, cancel, 1h).phase, Phase::kRunning);
  canceller.join();
  EXPECT_TRUE(target_->Cancel(handle, 1h));
  EXPECT_EQ(target_->Poll(handle).exit_status, 128 + SIGTERM);
}

TEST_F(SshTargetTest, WaitTellsOfAJobThatWasKilled) {
  Serve();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "sleep 1000")).handle;
  std::jthread killer([&] {
    std::this_thread::sleep_for(300ms);
    ::kill(-static_cast<pid_t>(handle.pid), SIGKILL);
  });
  EXPECT_EQ(WaitForEnd(handle).gone, FailureKind::kKilled);
  killer.join();
}

TEST_F(SshTargetTest, FollowsALogUntilItIsStopped) {
  Serve();
  Connect();
  const JobHandle handle =
      target_->Submit(Order("a", "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i + 1)); done; sleep 1000")).handle;
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += "line " + std::to_string(i) + "\n";
  std::vector<FollowEnd> ends;
  EXPECT_EQ(FollowToTheEnd(handle, expected.size(), &ends), expected);
  EXPECT_THAT(ends, ::testing::ElementsAre(FollowEnd::kStopped));
  CancelToken stop;
  std::string rest;
  std::atomic<std::size_t> rest_size = 0;
  std::jthread stopper([&] {
    AppendToFile(handle.folder + "/run.log", "more\n");
    Await("more", [&] { return rest_size == 5; });
    stop.Cancel();
  });
  const auto size = static_cast<std::int64_t>(expected.size());
  const auto end = target_->FollowLog(handle, size, stop, [&](std::string_view bytes) {
    rest += bytes;
    rest_size = rest.size();
  });
  EXPECT_EQ(end, FollowEnd::kStopped);
  stopper.join();
  EXPECT_EQ(rest, "more\n");
}

TEST_F(SshTargetTest, TellsAFollowerOfATruncatedLog) {
  Serve();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "echo a first line; sleep 1000")).handle;
  CancelToken stop;
  std::atomic<bool> followed = false;
  std::jthread truncator([&] {
    Await("first line", [&] { return followed.load(); });
    WriteFile(handle.folder + "/run.log", "x\n");
  });
  // Whichever comes first, the new bytes or the word of the change.
  EXPECT_EQ(target_->FollowLog(handle, 0, stop, [&](std::string_view) { followed = true; }), FollowEnd::kChanged);
  truncator.join();
}

TEST_F(SshTargetTest, WhatAListenerThrowsComesThrough) {
  Serve();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "echo line; sleep 1000")).handle;
  CancelToken stop;
  EXPECT_THROW(target_->FollowLog(handle, 0, stop, [](std::string_view) { throw Error(ErrorCode::kIo, "full"); }),
               Error);
  Await("end of the follower there", [&] { return CommandsThere().empty(); });
}

TEST_F(SshTargetTest, AnOrdinaryAccountWorksInItsHome) {
  Serve();
  UseAccount();
  Connect(Options(account_->name()));
  const std::string workdir = account_->home().string() + "/cosmos-engine";
  EXPECT_EQ(target_->Workdir(), workdir);
  EXPECT_TRUE(fs::is_directory(workdir));
  const JobHandle handle = target_->Submit(OrderIn(workdir, "a", "id -un; pwd")).handle;
  EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
  EXPECT_EQ(target_->ReadLog(handle, 0, 1000).bytes, account_->name() + "\n" + workdir + "\n");
  Connect(Options(account_->name()), "~/my work/cosmos");
  EXPECT_EQ(target_->Workdir(), account_->home().string() + "/my work/cosmos");
  Connect(Options(account_->name()), "/root/no way");
  try {
    target_->Workdir();
    ADD_FAILURE() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.message(), HasSubstr("ermission denied"));
  }
}

TEST_F(SshTargetTest, ALoginShellsWordsOfATruncatedFileAreNoChangeOfTheLog) {
  Serve();
  UseAccount();
  WriteFile(account_->home() / ".bashrc", "echo 'notice: file truncated elsewhere' >&2\n");
  Connect(Options(account_->name()));
  const JobHandle handle = target_->Submit(OrderIn(target_->Workdir(), "a", "echo line; sleep 1000")).handle;
  std::vector<FollowEnd> ends;
  EXPECT_EQ(FollowToTheEnd(handle, 5, &ends), "line\n");
  EXPECT_THAT(ends, ::testing::ElementsAre(FollowEnd::kStopped));
}

TEST_F(SshTargetTest, HundredsOfOperationsShareOneConnection) {
  Serve();
  UseAccount();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "echo line; sleep 1000")).handle;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(target_->Run("echo " + number, 1h).output, number + "\n");
    EXPECT_EQ(target_->Poll(handle).phase, Phase::kRunning);
    EXPECT_EQ(target_->ReadLog(handle, 0, 100).bytes, "line\n");
  }
  EXPECT_EQ(server_->LoginCount(), 1);
  EXPECT_EQ(server_->Connections(), 1);
}

TEST_F(SshTargetTest, NothingButJobsIsLeftOnTheHost) {
  Serve();
  Connect();
  const JobHandle handle = target_->Submit(Order("a", "echo line; sleep 1000")).handle;
  CancelToken stop, cancel;
  std::jthread follower(
      [&] { EXPECT_EQ(target_->FollowLog(handle, 0, stop, [](std::string_view) {}), FollowEnd::kStopped); });
  std::jthread waiter([&] { target_->Wait(handle, cancel, 1h); });
  Await("follower and watch there", [&] { return CommandsThere().size() >= 4; });
  stop.Cancel();
  cancel.Cancel();
  follower.join();
  waiter.join();
  EXPECT_FALSE(server_->Processes().empty());
  target_.reset();
  Await("end of all but the job", [&] { return CommandsThere().empty(); });
  EXPECT_EQ(server_->Connections(), 0);
  Connect();
  EXPECT_EQ(target_->Poll(handle).phase, Phase::kRunning);
  EXPECT_TRUE(target_->Cancel(handle, 1h));
  target_.reset();
  Await("end of all", [&] { return server_->Processes().empty(); });
}

}  // namespace
}  // namespace cosmos::testing
