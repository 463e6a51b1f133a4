#include "diagnostics/evidence.h"

#include <gmock/gmock.h>

namespace cosmos::plugins {
namespace {

using sdk::Json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The run began 100 s before the collection.
constexpr std::int64_t kNow = 1'800'000'000;
const RunFacts& Run() {
  static const RunFacts run(Json{{"run_id", "rs_1"}, {"started_at", "2027-01-15T07:58:20.000Z"}});
  return run;
}

std::vector<std::string> EvidenceOf(const std::string& name, const std::string& text, const RunFacts& run = Run()) {
  Item item;
  item.name = name;
  item.target = "gpu1";
  item.text = text;
  return EvidenceIn({item}, run, std::chrono::system_clock::time_point(std::chrono::seconds(kNow)));
}

TEST(Evidence, TheKernelSpeaksOfThisRunOnly) {
  const std::string up = "# up for 10000.00 s; of 9 messages those about memory, GPUs and disks:\n";
  EXPECT_THAT(EvidenceOf("kernel", up + "[ 9950.123456] NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.\n"),
              ElementsAre(AllOf(HasSubstr("GPU driver of 'gpu1'"), HasSubstr("`[ 9950.123456] NVRM: Xid"))));
  EXPECT_THAT(EvidenceOf("kernel", up + "[ 9990.1] host kernel: Out of memory: Killed process 77 (python)\n"),
              ElementsAre(HasSubstr("killed a process for want of memory")));
  EXPECT_THAT(EvidenceOf("kernel", up + "[  100.1] NVRM: Xid (PCI:0000:01:00): 79\n"), IsEmpty());
  EXPECT_THAT(EvidenceOf("kernel", "NVRM: Xid without a time\n"), IsEmpty());
  std::string many = up;
  for (int i = 0; i < 100; ++i) many += "[ 9990.1] NVRM: Xid " + std::to_string(i) + "\n";
  EXPECT_EQ(EvidenceOf("kernel", many).size(), 3u);
}

TEST(Evidence, GpusThatAreFullAndWhatUsesThem) {
  const auto found =
      EvidenceOf("gpu",
                 "+---+\n# gpus: index, …\n"
                 "0, NVIDIA H100, GPU-a, 45, 0, 79000, 81559, 0\n1, NVIDIA H100, GPU-b, 45, 0, 12, 81559, 3\n"
                 "# processes: gpu uuid, …\nGPU-a, 4711, /usr/bin/python3, 78000\n[N/A]\n");
  EXPECT_THAT(found, ElementsAre("GPU 0 of 'gpu1' has 79000 of 81559 MiB in use although the stage has ended",
                                 "GPU 1 of 'gpu1' has 3 memory errors that were not corrected",
                                 "process 4711 (`/usr/bin/python3`) uses 78000 MiB of a GPU of 'gpu1' now"));
}

TEST(Evidence, GpusThatDoNotWorkAndNamesWithCommas) {
  const auto found = EvidenceOf("gpu",
                                "Unable to determine the device handle for GPU1: 0000:52:00.0: Unknown Error\n"
                                "# gpus: index, …\n"
                                "0, H100, the red one, GPU-a, [GPU requires reset], [N/A], 79000, 81559, 2\n"
                                "# processes: gpu uuid, …\nGPU-a, 4711, a, comma, 78000\n");
  EXPECT_THAT(found, ElementsAre(HasSubstr("nvidia-smi on 'gpu1' says: `Unable to determine"),
                                 HasSubstr("GPU 0 of 'gpu1' does not work: `0, H100, the red one"),
                                 HasSubstr("GPU 0 of 'gpu1' has 79000 of 81559 MiB"),
                                 "GPU 0 of 'gpu1' has 2 memory errors that were not corrected",
                                 "process 4711 (`a, comma`) uses 78000 MiB of a GPU of 'gpu1' now"));
}

TEST(Evidence, DisksAndMemoryThatAreNearlyFull) {
  const auto found = EvidenceOf(
      "system",
      "# memory\nMemTotal:       1000000 kB\nMemAvailable:    10240 kB\n"
      "# disks\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 99 1048576 99% /work\n"
      "/dev/b 100 10 90 10% /\n# inodes\nFilesystem Inodes IUsed IFree IUse% Mounted on\n/dev/b 100 100 0 100% /\n");
  EXPECT_THAT(found, ElementsAre("'gpu1' has 10 of 977 MiB of memory left",
                                 "99% of the disk of 'gpu1' at `/work` are in use; 1 GiB are left",
                                 "100% of the inodes of the disk of 'gpu1' at `/` are in use; 0 are left"));
}

TEST(Evidence, ContainersThatTheKernelKilled) {
  EXPECT_THAT(EvidenceOf("container render", R"([{"State": {"OOMKilled": true}}])"),
              ElementsAre(HasSubstr("killed the container render for want of memory")));
  const RunFacts removed(Json{{"stages", {{{"stage", "render"}, {"container", {{"oom_killed", true}}}}}}});
  EXPECT_THAT(EvidenceOf("gpu", "", removed), ElementsAre(HasSubstr("killed the container of stage 'render'")));
}

TEST(Evidence, CommandsThatFoundNoConnection) {
  EXPECT_THAT(EvidenceOf("commands",
                         "time target operation outcome status seconds what\n"
                         "t gpu1 run error - 0.1 true -> connection_lost: gone\nt gpu1 run ok 0 0.1 true\n"),
              ElementsAre("1 command to 'gpu1' found no connection"));
  EXPECT_THAT(EvidenceOf("commands", "t gpu1 run error - 0.1 true -> connection_lost: gone (12 times since t0)\n"),
              ElementsAre("12 commands to 'gpu1' found no connection"));
}

TEST(Evidence, GarbageIsNone) {
  const std::string garbage =
      "# gpus\n,,,,,,,\nx,y\n# processes\n,,,\n# disks\n% % % % % %\n# memory\nMemTotal:\n[[[[]]]\n{";
  for (const char* name : {"kernel", "gpu", "system", "container x", "commands"}) {
    EXPECT_THAT(EvidenceOf(name, garbage), IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace cosmos::plugins
