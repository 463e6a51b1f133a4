// Faults at random moments, one after the other, and what is lost, doubled or left by them. Each once by default, at
// the same moments; COSMOS_SOAK_MINUTES continues for that long, at other moments each time unless COSMOS_SOAK_SEED
// repeats those of an earlier soak, and COSMOS_SOAK_FAULT takes only faults whose name holds it. See tools/soak.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "soak_world.h"

namespace cosmos::testing {
namespace {

struct Row {
  int injected = 0, lost = 0, doubled = 0, left = 0;
};

unsigned Number(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

void PrintTable(const std::map<std::string, Row>& rows) {
  std::printf("| fault | injected | lost | doubled | left |\n|---|---|---|---|---|\n");
  for (const auto& [name, row] : rows) {
    std::printf("| %s | %d | %d | %d | %d |\n", name.c_str(), row.injected, row.lost, row.doubled, row.left);
  }
  std::fflush(stdout);
}

TEST(SoakTest, WhateverBreaksNothingIsLostDoubledOrLeft) {
  for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  const unsigned minutes = Number("COSMOS_SOAK_MINUTES", 0);
  const unsigned seed = Number("COSMOS_SOAK_SEED", minutes > 0 ? std::random_device()() : 1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  const char* only = std::getenv("COSMOS_SOAK_FAULT");
  std::printf("seed %u\n", seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  SoakWorld world;
  std::map<std::string, Row> rows;
  int number = 0;
  do {
    for (const SoakFault& fault : SoakFaults()) {
      if (only != nullptr && std::string(fault.name).find(only) == std::string::npos) continue;
      SoakRun run = world.Begin("rs_soak" + std::to_string(++number), fault.in_container);
      fault.inject(&world, &run, &random);
      world.Finish(&run);
      const SoakResult result = world.Check(run, fault.ends, fault.log);
      Row& row = rows[fault.name];
      ++row.injected;
      row.lost += result.lost;
      row.doubled += result.doubled;
      row.left += result.left;
      EXPECT_EQ(result.what, "") << fault.name << ", run " << run.id << ", seed " << seed;
      std::printf("%3d %s: %s\n", number, fault.name, result.what.empty() ? "held" : result.what.c_str());
      std::fflush(stdout);
      world.Clear(run);
    }
  } while (std::chrono::steady_clock::now() < end);
  PrintTable(rows);
}

}  // namespace
}  // namespace cosmos::testing
