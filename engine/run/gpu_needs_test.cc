#include "run/gpu_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StageNeeds Needs(int gpus = 1) {
  StageNeeds needs;
  needs.stage = "render";
  needs.target = "gpu1";
  needs.gpus = gpus;
  needs.gpu_memory_gb = 65.4;
  needs.driver = "570.124.06";
  return needs;
}

PreflightFindings Judge(const std::string& output, const StageNeeds& needs = Needs()) {
  return JudgeGpus(needs, TargetFacts(output));
}

void Expect(const PreflightFindings& findings, Severity severity, const std::string& message) {
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].severity, severity);
  EXPECT_THAT(findings[0].message, HasSubstr(message));
  EXPECT_THAT(findings[0].hint, ::testing::Not(IsEmpty()));
  EXPECT_EQ(findings[0].stage, "render");
  EXPECT_EQ(findings[0].target, "gpu1");
}

TEST(GpuNeedsTest, AnH100IsEnough) {
  EXPECT_THAT(Judge("nvidia_smi 0\ngpu 570.124.06, 81559, 81076\n"), IsEmpty());
  EXPECT_THAT(Judge("nvidia_smi 0\ngpu 580.65, 81559, 81076\ngpu 580.65, 81559, 3\n"), IsEmpty());
}

TEST(GpuNeedsTest, TheFirstGpusCount) {
  const std::string two = "nvidia_smi 0\ngpu 570.124.06, 81559, 81076\ngpu 570.124.06, 81559, 3\n";
  Expect(Judge(two, Needs(2)), Severity::kError, "GPU 1 has 0.0 GB of memory free, expected 65.4 GB");
  Expect(Judge("nvidia_smi 0\ngpu 570.124.06, 81559, 81076\n", Needs(2)), Severity::kError, "1 GPU, expected 2");
}

TEST(GpuNeedsTest, TooSmallIsNotTheSameAsInUse) {
  Expect(Judge("nvidia_smi 0\ngpu 570.124.06, 24564, 24000\n"), Severity::kError,
         "GPU 0 has 25.8 GB of memory, expected");
  Expect(Judge("nvidia_smi 0\ngpu 570.124.06, 81920, 57220\n"), Severity::kError, "GPU 0 has 60.0 GB of memory free");
}

TEST(GpuNeedsTest, DriversAreComparedByNumber) {
  Expect(Judge("nvidia_smi 0\ngpu 570.86.15, 81559, 81076\n"), Severity::kError,
         "NVIDIA's driver is 570.86.15, expected 570.124.06 or newer");
  EXPECT_THAT(Judge("nvidia_smi 0\ngpu 1000.1, 81559, 81076\n"), IsEmpty());
}

TEST(GpuNeedsTest, WhatIsNotToldIsAWarning) {
  for (const char* value : {"[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "[Insufficient Permissions]"}) {
    Expect(Judge(std::string("nvidia_smi 0\ngpu 570.124.06, ") + value + ", " + value + "\n"), Severity::kWarning,
           "how much memory is free on GPU 0 is not known");
    Expect(Judge(std::string("nvidia_smi 0\ngpu ") + value + ", 81559, 81076\n"), Severity::kWarning,
           "driver is not known");
  }
  Expect(Judge(""), Severity::kWarning, "there is no nvidia-smi");
  Expect(Judge("nvidia_smi 124\n"), Severity::kWarning, "fails with status 124");
}

TEST(GpuNeedsTest, ADriverThatDoesNotWorkIsAnError) {
  Expect(Judge("nvidia_smi 18\ngpu Failed to initialize NVML: Driver/library version mismatch\n"), Severity::kError,
         "Driver/library version mismatch");
  Expect(Judge("nvidia_smi 6\ngpu No devices were found\n"), Severity::kError, "No devices were found");
}

TEST(GpuNeedsTest, AGpuThatIsNotAskedFor) {
  StageNeeds needs = Needs();
  needs.where = "w.yaml:4:3";
  EXPECT_THAT(JudgeResources(needs), IsEmpty());
  needs.gpus_asked = false;
  Expect(JudgeResources(needs), Severity::kWarning,
         "`resources.gpus` is not given (w.yaml:4:3): nothing keeps other stages off");
  needs.container = {{"image", "i"}, {"args", {"--network", "none"}}};
  Expect(JudgeResources(needs), Severity::kError, "its container gets none");
  needs.container = {{"image", "i"}, {"args", {"--gpus=all"}}};
  Expect(JudgeResources(needs), Severity::kWarning, "nothing keeps other stages off");
  needs.gpu_memory_gb = 0;  // how much is not known, but there must be one
  Expect(JudgeResources(needs), Severity::kWarning, "the job needs a GPU");
  needs.driver.clear();
  EXPECT_THAT(JudgeResources(needs), IsEmpty());
}

TEST(GpuNeedsTest, NothingIsSaidOfWhatIsNotNeeded) { EXPECT_THAT(Judge("nvidia_smi 9\n", StageNeeds()), IsEmpty()); }

}  // namespace
}  // namespace cosmos
