#include "target/local/local_target.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/files.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

class LocalTargetTest : public ::testing::Test {
 protected:
  LocalTargetTest() {
    char name[] = "/tmp/cosmos-target-XXXXXX";
    root_ = ::mkdtemp(name);
    folder_ = root_ + "/jobs/a/1";
  }
  ~LocalTargetTest() override { fs::remove_all(root_); }

  // A job as job/job_script.h makes it, with `body` as the command.
  JobOrder Order(const std::string& body) const {
    return {folder_,
            "cd '" + folder_ +
                "'\nread -r stat </proc/$$/stat\nread -r boot </proc/sys/kernel/random/boot_id\n"
                "set -C -- ${stat##*) }\nprintf '%s %s %s\\n' $$ \"${20}\" \"$boot\" >pid || exit 0\nset +C --\n"
                "exec >>run.log 2>&1\ntrap : TERM\n(trap - TERM\n" +
                body + "\n)\nprintf '%s\\n' $? >exit_status\n",
            {}};
  }
  JobState WaitForEnd(const JobHandle& handle) {
    JobState state;
    do {
      state = target_.Wait(handle, cancel_, 1h);
    } while (state.phase == JobState::Phase::kRunning);
    return state;
  }

  std::string root_;
  std::string folder_;
  CancelToken cancel_;
  LocalTarget target_;
};

TEST_F(LocalTargetTest, RunsAJobToItsExitStatusAndLog) {
  const JobHandle handle = target_.Submit(Order("echo out; echo err >&2; exit 3")).handle;
  const JobState state = WaitForEnd(handle);
  EXPECT_EQ(state.exit_status, 3);
  EXPECT_EQ(target_.ReadLog(handle, 0, 100).bytes, "out\nerr\n");
  EXPECT_EQ(target_.ReadLog(handle, 4, 2).bytes, "er");
  EXPECT_EQ(target_.ReadLog(handle, 4, 2).size, 8);
}

// What a job may put there; opening a FIFO would wait for ever.
TEST_F(LocalTargetTest, FilesThatAreNoneAreNotThere) {
  MakeFolders(folder_);
  WriteFile(root_ + "/elsewhere", "1 2 3\n");
  const JobHandle handle{folder_, 0, 0, kNoBootId, ""};
  for (const bool fifo : {true, false}) {
    for (const char* name : {"run.log", "pid", "exit_status", "exit_status.reserved"}) {
      const std::string path = folder_ + "/" + name;
      fs::remove(path);
      ASSERT_EQ(fifo ? ::mkfifo(path.c_str(), 0600) : ::symlink("../../../elsewhere", path.c_str()), 0);
    }
    EXPECT_EQ(target_.ReadLog(handle, 0, 100).bytes, "");
    EXPECT_EQ(target_.ReadLog(handle, 0, 100).file, "");
    EXPECT_EQ(target_.DigestOfLog(handle, -1).sha256, "");
    EXPECT_FALSE(target_.Find(folder_));
    EXPECT_EQ(target_.Poll(handle).gone, FailureKind::kKilled);
  }
}

TEST_F(LocalTargetTest, StartsAJobOnlyOnceHoweverOftenItIsSubmitted) {
  const JobOrder order = Order("echo x >>count; sleep 0.05");
  const JobHandle first = target_.Submit(order).handle;
  const JobHandle second = target_.Submit(order).handle;
  EXPECT_EQ(first.pid, second.pid);
  WaitForEnd(first);
  const JobHandle third = target_.Submit(order).handle;
  EXPECT_EQ(first.pid, third.pid);
  EXPECT_EQ(first.pid_start_time, third.pid_start_time);
  EXPECT_EQ(WaitForEnd(third).exit_status, 0);
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

TEST_F(LocalTargetTest, AFolderOfAnotherOwnerIsNotAttachedTo) {
  JobOrder order = Order("echo x >>count");
  order.owner = "mine";
  WaitForEnd(target_.Submit(order).handle);
  EXPECT_TRUE(target_.Submit(order).attached);
  order.owner = "another";
  EXPECT_TRUE(target_.Submit(order).foreign);
  WriteFile(folder_ + "/owner", "");  // an engine was killed while it wrote it
  fs::remove(folder_ + "/pid");
  EXPECT_FALSE(target_.Submit(order).foreign);
  EXPECT_EQ(ReadFile(folder_ + "/owner"), "another\n");
}

TEST_F(LocalTargetTest, FinishesASubmissionThatDiedBeforeTheStart) {
  fs::create_directories(folder_);
  const JobHandle handle = target_.Submit(Order("echo x >>count")).handle;
  EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

TEST_F(LocalTargetTest, TwoSubmissionsAtOnceStartOneJob) {
  fs::create_directories(folder_);
  const JobOrder order = Order("echo x >>count");
  LocalTarget other;
  JobHandle a, b;
  std::thread one([&] { a = target_.Submit(order).handle; });
  std::thread two([&] { b = other.Submit(order).handle; });
  one.join();
  two.join();
  EXPECT_EQ(a.pid, b.pid);
  WaitForEnd(a);
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

TEST_F(LocalTargetTest, AJobKilledFromOutsideIsKilledAndNeverRunningForEver) {
  const JobHandle handle = target_.Submit(Order("sleep 1000")).handle;
  EXPECT_EQ(target_.Poll(handle).phase, JobState::Phase::kRunning);
  ::kill(static_cast<pid_t>(-handle.pid), SIGKILL);
  const JobState state = WaitForEnd(handle);
  EXPECT_EQ(state.exit_status, -1);
  EXPECT_EQ(state.gone, FailureKind::kKilled);
}

TEST_F(LocalTargetTest, AnotherBootMeansRebooted) {
  JobHandle handle = target_.Submit(Order("sleep 1000")).handle;
  JobHandle old = handle;
  old.boot_id = "another-boot";
  EXPECT_EQ(target_.Poll(old).gone, FailureKind::kHostRebooted);
  EXPECT_TRUE(target_.Cancel(handle, 1s));
}

TEST_F(LocalTargetTest, ALaterProcessOfTheSameNumberIsNotTheJob) {
  JobHandle handle{folder_, ::getpid(), 1, BootId(), ""};
  EXPECT_EQ(target_.Poll(handle).gone, FailureKind::kKilled);
  EXPECT_TRUE(target_.Cancel(handle, 1ms));  // and it is not killed
}

TEST_F(LocalTargetTest, CancelEndsTheWholeGroupAndLeavesTheExitStatus) {
  const JobHandle handle = target_.Submit(Order("sleep 1000 & sleep 1000")).handle;
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(target_.Cancel(handle, 10s));
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(handle.pid)).empty());
  EXPECT_EQ(target_.Poll(handle).exit_status, 128 + SIGTERM);
}

TEST_F(LocalTargetTest, CancelKillsWhatIgnoresTerm) {
  const JobHandle handle = target_.Submit(Order("trap '' TERM; while :; do sleep 0.05; done")).handle;
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(target_.Cancel(handle, 50ms));
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(handle.pid)).empty());
}

TEST_F(LocalTargetTest, WhatAJobLeftBehindCanBeEnded) {
  const JobHandle handle = target_.Submit(Order("sleep 1000 &")).handle;
  EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
  EXPECT_FALSE(ProcessesOfSession(static_cast<pid_t>(handle.pid)).empty());
  EXPECT_TRUE(target_.Cancel(handle, 10s));
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(handle.pid)).empty());
}

TEST_F(LocalTargetTest, AttachesFromAnotherProcess) {
  const JobHandle handle = target_.Submit(Order("sleep 0.1; exit 5")).handle;
  const pid_t child = ::fork();
  if (child == 0) {
    LocalTarget other;
    CancelToken cancel;
    JobState state;
    do {
      state = other.Wait(handle, cancel, 1h);
    } while (state.phase == JobState::Phase::kRunning);
    ::_exit(state.exit_status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 5);
  WaitForEnd(handle);
}

TEST_F(LocalTargetTest, SecretsReachTheJobAndNoFile) {
  JobOrder order = Order("test \"$TOKEN\" = gold");
  order.environment["TOKEN"] = "gold";
  EXPECT_EQ(WaitForEnd(target_.Submit(order).handle).exit_status, 0);
}

}  // namespace
}  // namespace cosmos
