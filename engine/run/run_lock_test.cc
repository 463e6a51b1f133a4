#include "run/run_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class RunLockTest : public ::testing::Test {
 protected:
  RunLockTest() {
    char name[] = "/tmp/cosmos-lock-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / "lock";
  }
  ~RunLockTest() override { fs::remove_all(folder_); }

  // A process that holds the lock until it is killed.
  pid_t Holder() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const RunLock lock(path_);
      EXPECT_EQ(::write(ends[1], "x", 1), 1);
      for (;;) ::pause();
    }
    char ready = 0;
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    return child;
  }

  fs::path folder_, path_;
};

TEST_F(RunLockTest, TellsWhoHoldsItAndFreesItWhenTheHolderIsKilled) {
  EXPECT_FALSE(RunLock::Holder(path_));
  const pid_t holder = Holder();
  EXPECT_EQ(RunLock::Holder(path_), holder);
  try {
    const RunLock second(path_);
    FAIL() << "two holders";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConflict);
    EXPECT_NE(error.message().find(std::to_string(holder)), std::string::npos);
  }
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_FALSE(RunLock::Holder(path_));
  const RunLock mine(path_);
}

}  // namespace
}  // namespace cosmos
