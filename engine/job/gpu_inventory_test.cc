#include "job/gpu_inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = GpuInventory::Kind;

std::string Row(int index, const std::string& uuid, const std::string& values) {
  return "gpu " + std::to_string(index) + ", " + uuid + ", 00000000:4" + std::to_string(index) + ":00.0, 550.1, " +
         values + "\n";
}

constexpr const char* kGood = "0, 4, 81559, 80900, 30, 70.1, 345, 2619, Disabled, NVIDIA H100";

std::string Good(int index) { return Row(index, "GPU-" + std::to_string(index), kGood); }

GpuInventory Inventory(const std::string& rows, int wanted, int most = 0, int status = 0) {
  GpuState state;
  state.reading =
      ParseGpuAnswer("gpu_columns 14\nnvidia_smi " + std::to_string(status) + "\n" + rows + "gpu_end\n", WallTime());
  state.age = Duration::zero();
  return InventoryOf(state, "gpu1", wanted, most, std::chrono::seconds(3));
}

std::vector<int> Indices(const GpuInventory& inventory) {
  std::vector<int> indices;
  for (const GpuCandidate& candidate : inventory.candidates) indices.push_back(candidate.gpu.index);
  return indices;
}

TEST(GpuInventoryTest, AGpuThatDoesNotWorkIsNoCandidate) {
  for (const char* broken : {
           "[Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], 30, 70.1, 345, 2619, Disabled, H100",
           "[N/A], 0, 81559, 80900, [GPU requires reset], 70.1, 345, 2619, Disabled, H100",
           "[GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], "
           "[GPU is lost], [GPU is lost], [GPU is lost]",
           "0, 4, 81559, 80900, ERR!, 70.1, 345, 2619, Disabled, H100",
           "0, 4, 81559, 80900, 30, [GPU requires reset], 345, 2619, Disabled, H100",
       }) {
    const std::string rows = Row(0, "GPU-0", broken) + Good(1) + Good(2);
    EXPECT_THAT(Indices(Inventory(rows, 2)), ElementsAre(1, 2)) << broken;
    const GpuInventory three = Inventory(rows, 3);
    EXPECT_EQ(three.kind, Kind::kTooFewWork) << broken;
    EXPECT_THAT(three.reason, testing::StartsWith("2 GPUs on 'gpu1' work, expected 3; GPU 0: ")) << broken;
  }
}

TEST(GpuInventoryTest, WhatIsOnlyNotToldIsNoFault) {
  const std::string row = Row(0, "GPU-0",
                              "[Not Supported], [N/A], N/A, [N/A], [Insufficient Permissions], [Unknown Error], "
                              "[Unknown Error], [N/A], [N/A], NVIDIA GB10");
  EXPECT_THAT(Indices(Inventory(row, 1)), ElementsAre(0));
}

TEST(GpuInventoryTest, ALineAmongTheRowsIsNoGpu) {
  const std::string chatter =
      "gpu_error Warning: persistence mode is disabled on device 0000:40:00.0.\n"
      "gpu WARNING: infoROM is corrupted at gpu 0000:41:00.0\n";
  EXPECT_THAT(Indices(Inventory(chatter + Good(0) + Good(1), 2)), ElementsAre(0, 1));
  const GpuInventory three = Inventory(chatter + Good(0) + Good(1), 3);
  EXPECT_EQ(three.kind, Kind::kTooFew);
  EXPECT_THAT(three.reason, HasSubstr("nvidia-smi lists 2 GPUs on 'gpu1', expected 3"));
}

TEST(GpuInventoryTest, ALostGpuIsNamedAndTheOthersAreGoodWhateverTheExitStatus) {
  const std::string lost = "gpu_error Unable to determine the device handle for GPU1: 0000:41:00.0: Unknown Error\n";
  for (const int status : {0, 15, 255}) {
    EXPECT_THAT(Indices(Inventory(lost + Good(0), 1, 2, status)), ElementsAre(0));
    const GpuInventory two = Inventory(lost + Good(0), 2, 2, status);
    EXPECT_EQ(two.kind, Kind::kTooFewWork);
    EXPECT_THAT(two.reason, HasSubstr("1 GPU on 'gpu1' works, expected 2; GPU 1 (0000:41:00.0): Unknown Error"));
  }
  // One that is listed all the same.
  const std::string listed = "gpu Unable to determine the device handle for GPU 0000:40:00.0: GPU is lost.\n";
  EXPECT_THAT(Indices(Inventory(Good(0) + Good(1) + listed, 1, 0, 15)), ElementsAre(1));
  EXPECT_EQ(Inventory("gpu No devices were found\n", 1, 1, 6).kind, Kind::kTooFewWork);
}

TEST(GpuInventoryTest, TheFirstGpusOfTheTargetAreItsFirstAlsoWhenOneIsLost) {
  EXPECT_THAT(Indices(Inventory(Good(0) + Good(1) + Good(2), 1, 2)), ElementsAre(0, 1));
  const std::string lost = "gpu Unable to determine the device handle for GPU0: 0000:40:00.0: Unknown Error\n";
  EXPECT_THAT(Indices(Inventory(lost + Good(1) + Good(2), 1, 2, 15)), ElementsAre(1));
}

TEST(GpuInventoryTest, WithoutAnNvidiaSmiGpusAreCountedAndWithoutAnAnswerTheyAreNot) {
  GpuState state;
  state.reading = ParseGpuAnswer("no_nvidia_smi\ngpu_end\n");
  state.age = Duration::zero();
  const auto kind = [&] { return InventoryOf(state, "gpu1", 1, 2, std::chrono::seconds(3)).kind; };
  EXPECT_EQ(InventoryOf(state, "gpu1", 1, 2, std::chrono::seconds(3)).candidates.size(), 2u);
  state.age = std::chrono::minutes(1);
  EXPECT_EQ(kind(), Kind::kSilent);
  state.age.reset();
  state.failure = "cannot connect";
  EXPECT_EQ(InventoryOf(state, "gpu1", 1, 2, std::chrono::seconds(3)).reason, "cannot connect");
  state.age = Duration::zero();
  for (const char* half : {"", "no_nvidia_smi\n", "gpu_end\n", "hello\n"}) {
    state.reading = ParseGpuAnswer(half);
    EXPECT_EQ(kind(), Kind::kSilent) << half;
  }
}

TEST(GpuInventoryTest, UuidsThatAreNoneOrSharedTellNoGpuFromAnother) {
  for (const char* uuid : {"[N/A]", "[Unknown Error]", "N/A", ""}) {
    const GpuInventory inventory = Inventory(Row(0, uuid, kGood) + Good(1), 1);
    ASSERT_FALSE(inventory.candidates.empty());
    EXPECT_EQ(inventory.candidates.back().gpu.uuid, "GPU-1");
    EXPECT_EQ(inventory.candidates.front().gpu.uuid, inventory.candidates.size() == 2 ? "" : "GPU-1") << uuid;
  }
  const GpuInventory same = Inventory(Row(0, "GPU-0", kGood) + Row(1, "GPU-0", kGood), 2);
  ASSERT_EQ(same.candidates.size(), 2u);
  EXPECT_EQ(same.candidates[1].gpu.uuid, "");
}

class GpuUsersTest : public testing::Test {
 protected:
  // Who uses the first GPU.
  static std::string UsedBy(const std::string& values, const std::string& more, int status = 0) {
    const GpuInventory inventory = Inventory(Row(0, "GPU-0", values) + more, 1, 0, status);
    return inventory.candidates.empty() ? "no candidate" : inventory.candidates[0].used_by;
  }
};

TEST_F(GpuUsersTest, AreNamedWithPidUserAndTime) {
  EXPECT_THAT(UsedBy("0, 1049, 81559, 80000, 30, 70, 345, 2619, Disabled, H100",
                     "app GPU-0, 4242, 1049, /usr/bin/python\nps  4242 anna                              60\n"),
              testing::MatchesRegex("1\\.1 GB in use by python \\(pid 4242, user anna\\)"));
  GpuState state;
  state.age = Duration::zero();
  state.reading = ParseGpuAnswer("gpu_columns 14\nnvidia_smi 0\n" + Good(0) +
                                 "app GPU-0, 4242, 1049, python\nps 4242 anna 60\ngpu_end\n");
  EXPECT_THAT(CandidatesOf(state.reading, 0).at(0).used_by,
              testing::MatchesRegex("1\\.1 GB in use by python \\(pid 4242, user anna\\) since .*[0-9]+:[0-9]+"));
}

TEST_F(GpuUsersTest, AreFoundWhereTheyDoNotTellAll) {
  // Also when another GPU makes the question fail, of a name with commas, and where the account may see no name.
  EXPECT_EQ(UsedBy(kGood, "app GPU-0, 7, 2000, a, comma\n", 15), "2.1 GB in use by a, comma (pid 7)");
  EXPECT_EQ(UsedBy(kGood, "app GPU-0, 7, [N/A], [Insufficient Permissions]\n"), "0.0 GB in use by a program (pid 7)");
  EXPECT_EQ(UsedBy(kGood, "app GPU-0, [N/A], 2000, [Not Found]\n"), "2.1 GB in use by a program");
  EXPECT_EQ(UsedBy("0, 2048, 81559, 80000, 30, 70, 345, 2619, Disabled, H100", ""),
            "2.1 GB in use by a program that nvidia-smi does not name");
  EXPECT_EQ(UsedBy("[N/A], [N/A], [N/A], [N/A], 30, 70, 345, [N/A], [N/A], NVIDIA GB10", "app GPU-0, 7, 900, x\n"),
            "0.9 GB in use by x (pid 7)");
  EXPECT_EQ(UsedBy(kGood, "app GPU-1, 7, 2000, x\n"), "");
}

TEST_F(GpuUsersTest, ADesktopCountsWhenItHoldsMuch) {
  const std::string pids =
      "pids GPU 00000000:40:00.0\npids     Processes\npids         Process ID                        : 812\n"
      "pids             Type                          : G\n"
      "pids             Name                          : /usr/lib/xorg/Xorg\n"
      "pids             Used GPU Memory               : 1100 MiB\n";
  EXPECT_EQ(UsedBy("0, 1100, 81559, 80000, 30, 70, 345, 2619, Disabled, RTX", pids + "ps 812 root 1\n"),
            "1.2 GB in use by Xorg (pid 812, user root)");
  EXPECT_EQ(UsedBy(kGood, pids), "");
}

TEST_F(GpuUsersTest, OfMigDevicesUseTheGpuThatTheyAreOf) {
  const std::string mig = "[N/A], 14, 40960, 40000, 30, 70, 345, 1215, Enabled, A100";
  EXPECT_EQ(UsedBy(mig,
                   "app MIG-c, 7, 900, x\ndevice GPU 0: A100 (UUID: GPU-0)\n"
                   "device   MIG 1g.5gb  Device 0: (UUID: MIG-c)\n"),
            "0.9 GB in use by x (pid 7)");
  EXPECT_EQ(UsedBy(mig, "app MIG-c, 7, 900, x\n"), "0.9 GB in use by x (pid 7)");  // which nobody listed
  EXPECT_EQ(UsedBy(mig, "device GPU 0: A100 (UUID: GPU-0)\ndevice   MIG 1g.5gb  Device 0: (UUID: MIG-c)\n"), "");
}

TEST_F(GpuUsersTest, WhatTheyAreCalledShowsNoControlCharactersAndEnds) {
  const std::string used =
      UsedBy(kGood, "app GPU-0, 7, 900, \x1b]0;evil\x07\x1b[2Jname" + std::string(500, 'x') + "\n");
  EXPECT_EQ(used.find('\x1b'), used.npos);
  EXPECT_EQ(used.find('\x07'), used.npos);
  EXPECT_LT(used.size(), 120u);
}

}  // namespace
}  // namespace cosmos
