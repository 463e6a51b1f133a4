#include "core/command.h"

#include <gtest/gtest.h>

#include <thread>

namespace cosmos {
namespace {

using namespace std::chrono_literals;

TEST(RunCommand, GivesOutputAndExitStatus) {
  CancelToken cancel;
  const CommandResult result = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 3"}, 1min, cancel);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_EQ(RunCommand({"no-such-program-here"}, 1min, cancel).exit_status, 127);
}

TEST(RunCommand, KeepsErrorsApartAndDoesNotWaitForWhoHoldsThemOpen) {
  CancelToken cancel;
  const CommandResult result =
      RunCommand({"sh", "-c", "echo out; echo err >&2; sleep 3 >/dev/null &"}, 1h, cancel, Stderr::kApart);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST(RunCommand, KillsWhatTakesTooLong) {
  CancelToken cancel;
  const CommandResult result = RunCommand({"sh", "-c", "sleep 1000 & sleep 1000"}, 50ms, cancel);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_status, 128 + 9);
}

TEST(RunCommand, StopsWhenCancelled) {
  CancelToken cancel;
  std::thread canceller([&] { cancel.Cancel(); });
  EXPECT_TRUE(RunCommand({"sleep", "1000"}, 1h, cancel).timed_out);
  canceller.join();
}

}  // namespace
}  // namespace cosmos
