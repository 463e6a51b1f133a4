#include "prompt_enhancement/run_program.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <cosmos/failure.hpp>
#include <cstdio>
#include <fstream>
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
  const std::string file = ::testing::TempDir() + "run_program_test." + std::to_string(::getpid());
  const auto read = [](const std::string& path) {
    std::string word;
    std::ifstream(path) >> word;
    return word;
  };
  Interrupt interrupt;
  std::thread other([&] {
    while (read(file).empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    interrupt.Set();
  });
  const std::string child = "sh -c 'echo $$ >\"$1\"; sleep 100000; exit' sh \"$1\" & wait";
  EXPECT_THROW(RunProgram({"sh", "-c", child, "sh", file}, interrupt), sdk::Cancelled);
  other.join();
  // A process that was killed has no command line, also while nobody has asked how it ended.
  while (!read("/proc/" + read(file) + "/cmdline").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::remove(file.c_str());
  EXPECT_THROW(RunProgram({"true"}, interrupt), sdk::Cancelled);
}

}  // namespace
}  // namespace cosmos::plugins
