#include "run/preflight/gpu_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/gpu/nvidia_smi.h"

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

// What nvidia-smi says of a GPU with this driver and memory, in all and free.
std::string Gpu(int index, const std::string& driver, const std::string& total, const std::string& free) {
  return "gpu " + std::to_string(index) + ", GPU-" + std::to_string(index) + ", 00000000:4F:00.0, " + driver +
         ", 0, 1, " + total + ", " + free + ", 30, 70, 345, 2619, Disabled, NVIDIA H100\n";
}

PreflightFindings Judge(const std::string& output, const StageNeeds& needs = Needs(), std::int64_t measured = 0) {
  return JudgeGpus(needs, ParseGpuAnswer("gpu_columns 14\n" + output + "gpu_end\n"), measured);
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
  EXPECT_THAT(Judge("nvidia_smi 0\n" + Gpu(0, "570.124.06", "81559", "81076")), IsEmpty());
  EXPECT_THAT(Judge("nvidia_smi 0\n" + Gpu(0, "580.65", "81559", "3") + Gpu(1, "580.65", "81559", "81076")), IsEmpty());
}

StageNeeds Impatient(int gpus = 1) {
  StageNeeds needs = Needs(gpus);
  needs.waits_for_gpus = false;
  return needs;
}

TEST(GpuNeedsTest, AsManyAsItNeedsMustHaveTheMemory) {
  const std::string two =
      "nvidia_smi 0\n" + Gpu(0, "570.124.06", "81559", "81076") + Gpu(1, "570.124.06", "81559", "3");
  Expect(Judge(two, Impatient(2)), Severity::kError, "GPU 1 has 0.0 GB of memory free, expected 65.4 GB");
  Expect(Judge("nvidia_smi 0\n" + Gpu(0, "570.124.06", "81559", "81076"), Needs(2)), Severity::kError,
         "1 GPU, expected 2");
}

TEST(GpuNeedsTest, TooSmallIsNotTheSameAsInUse) {
  Expect(Judge("nvidia_smi 0\n" + Gpu(0, "570.124.06", "24564", "24000")), Severity::kError,
         "GPU 0 has 25.8 GB of memory, expected 65.4 GB");
  const std::string used = "nvidia_smi 0\n" + Gpu(0, "570.124.06", "81920", "57220");
  Expect(Judge(used, Impatient()), Severity::kError, "GPU 0 has 60.0 GB of memory free");
  Expect(Judge(used), Severity::kWarning, "GPU 0 has 60.0 GB of memory free, expected 65.4 GB: the stage waits for it");
}

TEST(GpuNeedsTest, WhatWasMeasuredCountsMoreThanWhatIsSaidOfTheModel) {
  const std::string gpu = "nvidia_smi 0\n" + Gpu(0, "570.124.06", "81559", "81076");
  Expect(Judge(gpu, Needs(), 90'000'000'000), Severity::kError,
         "GPU 0 has 85.5 GB of memory, expected 90.0 GB, as an earlier run took");
  const std::string small = "nvidia_smi 0\n" + Gpu(0, "570.124.06", "24564", "24000");
  EXPECT_THAT(Judge(small, Needs(), 20'000'000'000), IsEmpty());
}

TEST(GpuNeedsTest, DriversAreComparedByNumber) {
  Expect(Judge("nvidia_smi 0\n" + Gpu(0, "570.86.15", "81559", "81076")), Severity::kError,
         "NVIDIA's driver is 570.86.15, expected 570.124.06 or newer");
  EXPECT_THAT(Judge("nvidia_smi 0\n" + Gpu(0, "1000.1", "81559", "81076")), IsEmpty());
}

TEST(GpuNeedsTest, WhatIsNotToldIsAWarning) {
  for (const char* value : {"[N/A]", "N/A", "[Not Supported]", "[Insufficient Permissions]"}) {
    Expect(Judge("nvidia_smi 0\n" + Gpu(0, "570.124.06", value, value)), Severity::kWarning,
           "how much memory is free on GPU 0 is not known");
    Expect(Judge("nvidia_smi 0\n" + Gpu(0, value, "81559", "81076")), Severity::kWarning, "driver is not known");
  }
  Expect(Judge("no_nvidia_smi\n"), Severity::kWarning, "there is no nvidia-smi");
  Expect(Judge(""), Severity::kWarning, "does not say which GPUs it has");
  Expect(Judge("nvidia_smi 124\n"), Severity::kWarning, "did not answer within");
  Expect(Judge("nvidia_smi 0\ngpu a word of its own\n" + Gpu(0, "570.124.06", "81559", "81076")), Severity::kWarning,
         "nvidia-smi says: a word of its own");
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

TEST(GpuNeedsTest, GpusThatDoNotWorkDoNotCount) {
  const std::string good = Gpu(0, "570.124.06", "81559", "81076");
  Expect(Judge("nvidia_smi 0\n" + good + Gpu(1, "570.124.06", "[GPU requires reset]", "81076"), Needs(2)),
         Severity::kError, "1 GPU works, expected 2: GPU 1: GPU requires reset");
  const std::string lost = "gpu_error Unable to determine the device handle for GPU1: 0000:52:00.0: Unknown Error\n";
  Expect(Judge("nvidia_smi 15\n" + good + lost, Needs(2)), Severity::kError, "GPU 1 (0000:52:00.0): Unknown Error");
  Expect(Judge("nvidia_smi 15\n" + good + lost), Severity::kWarning, "GPU 1 (0000:52:00.0): Unknown Error");
}

TEST(GpuNeedsTest, EveryStageThatAsksForGpusIsCounted) {
  StageNeeds needs;
  needs.stage = "render";
  needs.target = "gpu1";
  needs.gpus = 2;
  Expect(Judge("nvidia_smi 0\n" + Gpu(0, "570.124.06", "81559", "81076"), needs), Severity::kError,
         "1 GPU, expected 2");
  EXPECT_THAT(Judge("no_nvidia_smi\n", needs), IsEmpty());  // they are counted by `gpus:`
  needs.gpus_asked = false;
  EXPECT_THAT(Judge("nvidia_smi 9\n", needs), IsEmpty());
}

}  // namespace
}  // namespace cosmos
