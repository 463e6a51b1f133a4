#include "prompt_enhancement/run_program.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cosmos/failure.hpp>
#include <thread>

namespace cosmos::plugins {
namespace {

TEST(RunProgram, GivesBothOutputsAndTheExitStatus) {
  const Interrupt interrupt;
  const ProgramResult result = RunProgram({"sh", "-c", "echo out; echo err >&2; exit 3"}, interrupt);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(RunProgram({"sh", "-c", "kill -9 $$"}, interrupt).exit_status, 137);
  EXPECT_EQ(RunProgram({"no-such-program"}, interrupt).exit_status, 127);
}

TEST(RunProgram, PassesWordsAsTheyAre) {
  const Interrupt interrupt;
  EXPECT_EQ(RunProgram({"printf", "%s|", "$(id)", "a b", "", "*", "'"}, interrupt).out, "$(id)|a b||*|'|");
}

TEST(RunProgram, TakesMuchOfBothOutputsAtOnce) {
  const Interrupt interrupt;
  const ProgramResult result =
      RunProgram({"sh", "-c", "head -c 1000000 /dev/zero & head -c 1000000 /dev/zero >&2; wait"}, interrupt);
  EXPECT_EQ(result.out.size(), 1000000u);
  EXPECT_EQ(result.err.size(), 1000000u);
}

TEST(RunProgram, IsKilledWithAllThatItStarted) {
  Interrupt interrupt;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    interrupt.Set();
  });
  EXPECT_THROW(RunProgram({"sh", "-c", "sleep 100000 & sleep 100000"}, interrupt), sdk::Cancelled);
  other.join();
  EXPECT_THROW(RunProgram({"true"}, interrupt), sdk::Cancelled);
}

}  // namespace
}  // namespace cosmos::plugins
