#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

TEST(ManyStages, AThousandJobsFinishWithTheirLogsAndHistory) {
  const Sandbox sandbox;
  std::string yaml = "version: 1\nname: many\nstages:\n";
  for (int i = 0; i < 1000; ++i) {
    yaml += "  s" + std::to_string(i) + ": {uses: shell, with: {run: 'echo " + std::to_string(i) + "'}}\n";
  }
  sandbox.Write("w.yaml", yaml);
  ASSERT_EQ(sandbox.Engine({"run", "w.yaml", "--quiet", "--jobs", "2", "--run-id", "rs_1"}).status, 0);
  EXPECT_EQ(sandbox.Show()["stages"].size(), 1000u);
  for (int i : {0, 499, 999}) {
    EXPECT_EQ(sandbox.Read("outputs/s" + std::to_string(i) + "/logs/run_rs_1.log"), std::to_string(i) + "\n");
  }
}

TEST(ManyStages, TenThousandInProcessStagesFinish) {
  const Sandbox sandbox;
  std::string yaml = "version: 1\nname: many\nstages:\n";
  for (int i = 0; i < 10000; ++i) {
    yaml += "  s" + std::to_string(i) + ": {uses: noop";
    if (i > 0) yaml += ", needs: s" + std::to_string((i - 1) / 2);
    yaml += "}\n";
  }
  sandbox.Write("w.yaml", yaml);
  ASSERT_EQ(sandbox.Engine({"run", "w.yaml", "--quiet"}).status, 0);
  EXPECT_EQ(sandbox.Show()["stages"].size(), 10000u);
}

}  // namespace
}  // namespace cosmos::testing
