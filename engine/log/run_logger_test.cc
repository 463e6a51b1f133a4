#include "log/run_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <thread>
#include <vector>

#include "core/files.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class RunLoggerTest : public ::testing::Test {
 protected:
  RunLoggerTest() {
    char name[] = "/tmp/cosmos-log-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~RunLoggerTest() override { fs::remove_all(folder_); }

  static RunContext Context(const std::string& run_id, const std::string& stage) {
    RunContext context;
    context.run_id = run_id;
    context.stage = stage;
    return context;
  }

  fs::path folder_;
  Masker masker_{{"gold-token"}};
};

TEST_F(RunLoggerTest, EachLineCarriesRunAndStageAndNoSecret) {
  RunLogger logger(folder_ / "engine.log", &masker_, false);
  logger.Log(LogLevel::kWarning, Context("rs_1", "render"), "one with gold-token\ntwo");
  const std::vector<std::string> lines = SplitLines(ReadFile(folder_ / "engine.log"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0][0], 'W');
  EXPECT_THAT(lines[0], EndsWith(" rs_1 render] one with ***"));
  EXPECT_THAT(lines[1], EndsWith(" rs_1 render] two"));
}

TEST_F(RunLoggerTest, RunsInParallelNeverMixALine) {
  const auto write = [&](const std::string& run_id) {
    RunLogger logger(folder_ / (run_id + ".log"), &masker_, false);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) logger.Log(LogLevel::kInfo, Context(run_id, "s"), std::string(200, 'x'));
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  std::thread one([&] { write("rs_1"); });
  std::thread two([&] { write("rs_2"); });
  one.join();
  two.join();
  for (const std::string run_id : {"rs_1", "rs_2"}) {
    const std::vector<std::string> lines = SplitLines(ReadFile(folder_ / (run_id + ".log")));
    EXPECT_EQ(lines.size(), 900u);
    for (const std::string& line : lines) ASSERT_THAT(line, EndsWith(" " + run_id + " s] " + std::string(200, 'x')));
  }
}

}  // namespace
}  // namespace cosmos
