#include "target/gpu/nvidia_smi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "target/local/local_target.h"

// The texts are what nvidia-smi prints on such machines; serial numbers are changed.
namespace cosmos {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kMiB = 1048576;

// What the script prints of an nvidia-smi that says `gpus` and, of processes, `apps`.
std::string Answer(int status, const std::string& gpus, const std::string& apps = "") {
  std::string output = "gpu_columns 14\nnvidia_smi " + std::to_string(status) + "\n";
  const auto add = [&](const std::string& key, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      output += key + " " + text.substr(at, end - at) + "\n";
      at = end + 1;
    }
  };
  add("gpu", gpus);
  add("app", apps);
  return output;
}

constexpr const char* kOneH100 =
    "0, GPU-5a5ba6ab-9a8c-9d0f-1a27-0c4b0f0f7e11, 00000000:4F:00.0, 550.54.15, 37, 1024, 81559, 79942, 34, 71.34, "
    "1980, 2619, Disabled, NVIDIA H100 80GB HBM3";

TEST(NvidiaSmiTest, OneH100) {
  const GpuReading reading =
      ParseGpuAnswer(Answer(0, kOneH100, "GPU-5a5ba6ab-9a8c-9d0f-1a27-0c4b0f0f7e11, 4242, 1014, python3"));
  EXPECT_TRUE(reading.present);
  EXPECT_EQ(reading.problem, "");
  EXPECT_EQ(reading.driver, "550.54.15");
  ASSERT_EQ(reading.gpus.size(), 1u);
  const GpuFacts& gpu = reading.gpus[0];
  EXPECT_EQ(gpu.index, 0);
  EXPECT_EQ(gpu.uuid, "GPU-5a5ba6ab-9a8c-9d0f-1a27-0c4b0f0f7e11");
  EXPECT_EQ(gpu.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu.utilization, 0.37);
  EXPECT_EQ(gpu.memory_used, 1024 * kMiB);
  EXPECT_EQ(gpu.memory_total, 81559 * kMiB);
  EXPECT_EQ(gpu.memory_free, 79942 * kMiB);
  EXPECT_NEAR(*gpu.MemoryPart(), 0.013, 0.0005);  // 1.3 %
  EXPECT_EQ(gpu.temperature, 34);
  EXPECT_EQ(gpu.power, 71.34);
  EXPECT_EQ(gpu.sm_clock, 1980);
  EXPECT_EQ(gpu.memory_clock, 2619);
  EXPECT_FALSE(gpu.mig);
  ASSERT_EQ(reading.processes.size(), 1u);
  EXPECT_EQ(reading.processes[0].pid, 4242);
  EXPECT_EQ(reading.processes[0].name, "python3");
  EXPECT_EQ(reading.processes[0].gpu_uuid, gpu.uuid);
  EXPECT_EQ(reading.processes[0].memory, 1014 * kMiB);
}

TEST(NvidiaSmiTest, EachRowOfEightIsAGpuOfItsOwn) {
  std::string rows;
  for (int i = 0; i < 8; ++i) {
    rows += std::to_string(i) + ", GPU-" + std::to_string(i) + ", 00000000:4" + std::to_string(i) +
            ":00.0, 570.124.06, " + std::to_string(10 * i) + ", " + std::to_string(1000 + i) + ", 81559, 80000, 4" +
            std::to_string(i) + ", 690.1" + std::to_string(i) + ", 1755, 2619, Disabled, NVIDIA H100 80GB HBM3\n";
  }
  const GpuReading reading = ParseGpuAnswer(Answer(0, rows));
  ASSERT_EQ(reading.gpus.size(), 8u);
  for (int i = 0; i < 8; ++i) {
    const GpuFacts& gpu = reading.gpus[static_cast<std::size_t>(i)];
    EXPECT_EQ(gpu.index, i);
    EXPECT_EQ(gpu.uuid, "GPU-" + std::to_string(i));
    EXPECT_DOUBLE_EQ(*gpu.utilization, 0.1 * i);
    EXPECT_EQ(gpu.memory_used, (1000 + i) * kMiB);
  }
  EXPECT_THAT(reading.processes, IsEmpty());
}

TEST(NvidiaSmiTest, WhatIsNotToldIsNotKnown) {
  const GpuReading reading = ParseGpuAnswer(
      Answer(0,
             "0, GPU-1, 00000000:00:04.0, 535.104, [Not Supported], [N/A], 15360, N/A, [Insufficient Permissions], "
             "[Unknown Error], , nan, [N/A], Tesla T4"));
  ASSERT_EQ(reading.gpus.size(), 1u);
  const GpuFacts& gpu = reading.gpus[0];
  EXPECT_FALSE(gpu.utilization || gpu.memory_used || gpu.memory_free || gpu.temperature || gpu.power || gpu.sm_clock ||
               gpu.memory_clock || gpu.MemoryPart());
  EXPECT_EQ(gpu.memory_total, 15360 * kMiB);
  EXPECT_EQ(gpu.fault, "");
  EXPECT_EQ(reading.problem, "");
}

TEST(NvidiaSmiTest, OnGb10TheProcessesTellHowMuchMemoryIsUsed) {
  const char* const row =
      "0, GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5, 0000000F:01:00.0, 580.126.09, 96, [N/A], [N/A], [N/A], 62, 47.20, "
      "2405, [N/A], [N/A], NVIDIA GB10";
  const char* const apps =
      "GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5, 100, 6000, /usr/bin/python3.12\n"
      "GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5, 101, 24, a, comma";
  const GpuReading idle = ParseGpuAnswer(Answer(0, row));
  ASSERT_EQ(idle.gpus.size(), 1u);
  EXPECT_EQ(idle.gpus[0].name, "NVIDIA GB10");
  EXPECT_FALSE(idle.gpus[0].memory_used || idle.gpus[0].memory_total);
  EXPECT_EQ(idle.gpus[0].utilization, 0.96);
  const GpuReading busy = ParseGpuAnswer(Answer(0, row, apps));
  EXPECT_EQ(busy.gpus.at(0).memory_used, 6024 * kMiB);
  EXPECT_EQ(busy.gpus.at(0).MemoryPart(), std::nullopt);
  EXPECT_EQ(busy.processes.at(1).name, "a, comma");
}

TEST(NvidiaSmiTest, AGpuInMigModeTellsItsDevices) {
  std::string output = Answer(
      0,
      "0, GPU-a, 00000000:07:00.0, 535.86.10, 0, 0, 40960, 40354, 28, 52.02, 210, 1215, Disabled, NVIDIA A100\n"
      "1, GPU-b, 00000000:0F:00.0, 535.86.10, [N/A], 14380, 40960, 25974, 33, 87.11, 1410, 1215, Enabled, NVIDIA "
      "A100",
      "MIG-c, 77, 14366, python");
  output +=
      "cuda 12.2\n"
      "device GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a)\n"
      "device GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)\n"
      "device   MIG 3g.20gb     Device  0: (UUID: MIG-c)\n"
      "device   MIG 1g.5gb      Device  1: (UUID: MIG-d)\n";
  const GpuReading reading = ParseGpuAnswer(output);
  EXPECT_EQ(reading.problem, "");
  EXPECT_EQ(reading.cuda, "12.2");
  ASSERT_EQ(reading.gpus.size(), 2u);
  EXPECT_FALSE(reading.gpus[0].mig);
  EXPECT_TRUE(reading.gpus[1].mig);
  EXPECT_EQ(reading.gpus[1].utilization, std::nullopt);
  EXPECT_EQ(reading.gpus[1].memory_used, 14380 * kMiB);
  ASSERT_EQ(reading.mig_devices.size(), 2u);
  EXPECT_EQ(reading.mig_devices[0].gpu, 1);
  EXPECT_EQ(reading.mig_devices[0].profile, "3g.20gb");
  EXPECT_EQ(reading.mig_devices[1].uuid, "MIG-d");
  EXPECT_EQ(reading.processes.at(0).gpu_uuid, "MIG-c");
}

TEST(NvidiaSmiTest, AnErrorInPlaceOfATableIsTheProblem) {
  const GpuReading no_driver = ParseGpuAnswer(Answer(
      9,
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
      "driver is installed and running."));
  EXPECT_TRUE(no_driver.present);
  EXPECT_THAT(no_driver.gpus, IsEmpty());
  EXPECT_THAT(no_driver.problem, HasSubstr("nvidia-smi fails with status 9: NVIDIA-SMI has failed because"));

  EXPECT_THAT(ParseGpuAnswer(Answer(18,
                                    "Failed to initialize NVML: Driver/library version mismatch\n"
                                    "NVML library version: 535.183"))
                  .problem,
              HasSubstr("status 18: Failed to initialize NVML: Driver/library version mismatch"));
  EXPECT_THAT(ParseGpuAnswer(Answer(6, "No devices were found")).problem, HasSubstr("No devices were found"));
  EXPECT_THAT(ParseGpuAnswer(Answer(124, "")).problem, HasSubstr("did not answer within"));
  EXPECT_THAT(ParseGpuAnswer(Answer(0, "")).problem, HasSubstr("lists no GPU"));
}

TEST(NvidiaSmiTest, AGpuThatHasFallenOffTheBusLeavesTheOthers) {
  for (const char* line : {"Unable to determine the device handle for GPU3: 0000:52:00.0: Unknown Error",
                           "Unable to determine the device handle for GPU0000:52:00.0: Unknown Error",
                           "Unable to determine the device handle for GPU 0000:52:00.0: GPU is lost.  Reboot the "
                           "system to recover this GPU",
                           "Unable to determine the device handle for GPU3: Unknown Error"}) {
    const GpuReading reading = ParseGpuAnswer(Answer(15, line + std::string("\n") + kOneH100) + "gpu_end\n");
    EXPECT_EQ(reading.gpus.size(), 1u);
    ASSERT_EQ(reading.lost.size(), 1u) << line;
    EXPECT_EQ(reading.lost[0].fault, std::string(line).find("lost") == std::string::npos
                                         ? "Unknown Error"
                                         : "GPU is lost.  Reboot the system to recover this GPU");
    EXPECT_THAT(reading.lost[0].gpu, testing::AnyOf("GPU 3 (0000:52:00.0)", "GPU 0000:52:00.0", "GPU 3"));
    EXPECT_THAT(reading.problem, HasSubstr("nvidia-smi fails with status 15: " + reading.lost[0].gpu));
    EXPECT_TRUE(reading.knows_gpus());
  }
}

TEST(NvidiaSmiTest, WhatStandsOnStderrIsNoGpuAndNoProblem) {
  const GpuReading reading =
      ParseGpuAnswer(Answer(0, kOneH100) + "gpu_error Warning: persistence mode is disabled on device 0.\ngpu_end\n");
  EXPECT_EQ(reading.gpus.size(), 1u);
  EXPECT_EQ(reading.problem, "");
  EXPECT_THAT(reading.lost, IsEmpty());
}

TEST(NvidiaSmiTest, NumbersOutOfAnyRangeAreNotBelievedAndDecimalCommasAreRead) {
  const GpuReading reading = ParseGpuAnswer(Answer(
      0, "0, GPU-1, 00000000:01:00.0, 550.1, 4000, 99999, 81559, -1, 9000, 71,34, 1e30, 2619,5, Disabled, H100"));
  ASSERT_EQ(reading.gpus.size(), 1u);
  const GpuFacts& gpu = reading.gpus[0];
  EXPECT_FALSE(gpu.utilization || gpu.memory_free || gpu.temperature || gpu.sm_clock);
  EXPECT_EQ(gpu.memory_used, gpu.memory_total);  // a GPU that holds more than it has is full, and not free
  EXPECT_EQ(gpu.power, 71.34);
  EXPECT_EQ(gpu.memory_clock, 2619.5);
  EXPECT_EQ(gpu.name, "H100");
}

TEST(NvidiaSmiTest, NamesMayHoldCommasButNothingThatATerminalObeys) {
  const GpuReading reading = ParseGpuAnswer(Answer(
      0,
      "0, GPU-1, 00000000:01:00.0, 550.1, 1, 2, 3, 1, 30, 71, 1, 2, Disabled, My GPU, the \x1b[31mred\x07 one,\xff"));
  ASSERT_EQ(reading.gpus.size(), 1u);
  EXPECT_EQ(reading.gpus[0].name, "My GPU, the [31mred one,\xEF\xBF\xBD");
  EXPECT_LE(ParseGpuAnswer(Answer(0, "0, GPU-1, 00000000:01:00.0, 5, 1, 2, 3, 1, 30, 71, 1, 2, Disabled, " +
                                         std::string(5000, 'x')))
                .gpus.at(0)
                .name.size(),
            80u);
}

TEST(NvidiaSmiTest, GarbageGivesNothingAndThrowsNothing) {
  std::string garbage =
      "nvidia_smi x\ngpu \ngpu ,,,,,,,,,,,,,,,\ngpu 1e99, b, c, d, e, f, g, h, i, j, k, l, m\napp ,\n";
  garbage += std::string("gpu \0\xff\xfe, 1\n", 11) + "device MIG\ndevice GPU\ncuda\nzzz\n\n";
  const GpuReading reading = ParseGpuAnswer(garbage);
  EXPECT_THAT(reading.gpus, IsEmpty());
  EXPECT_THAT(reading.processes, IsEmpty());
  EXPECT_NE(reading.problem, "");
  EXPECT_FALSE(ParseGpuAnswer("").present);
  EXPECT_FALSE(ParseGpuAnswer("sh: 1: Syntax error").present);
}

TEST(NvidiaSmiTest, SurvivesBeingKeptAsJson) {
  std::string output =
      Answer(0, kOneH100, "GPU-x, 5, [N/A], p") + "cuda 12.4\ndevice GPU 0: H\ndevice   MIG 1g.5gb D: (UUID: MIG-d)\n";
  const GpuReading reading = ParseGpuAnswer(output);
  const nlohmann::json json = ToJson(reading);
  EXPECT_EQ(ToJson(GpuReadingFromJson(json)), json);
  EXPECT_EQ(json["gpus"][0]["memory_used"], 1024 * kMiB);
  EXPECT_TRUE(json["processes"][0]["memory"].is_null());
  EXPECT_EQ(json["mig_devices"][0]["profile"], "1g.5gb");
  EXPECT_THROW(GpuReadingFromJson({{"gpus", 1}}), nlohmann::json::exception);
}

// The script itself, with an nvidia-smi of the test's on the PATH.
class GpuScriptTest : public testing::Test {
 protected:
  GpuScriptTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "cosmos-gpu-XXXXXX").string();
    if (::mkdtemp(folder.data()) != nullptr) folder_ = folder;
    path_ = ::getenv("PATH");
    ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
  }
  ~GpuScriptTest() override {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }

  GpuReading Read(const std::string& body, bool details) {
    const std::filesystem::path program = folder_ / "nvidia-smi";
    std::ofstream(program) << "#!/bin/sh\n" << body;
    ::chmod(program.c_str(), 0755);
    LocalTarget target(folder_.string());
    return ReadGpus(&target, details);
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(GpuScriptTest, AsksForGpusProcessesAndDetails) {
  const std::string body =
      std::string("echo \"$*\" >>") + (folder_ / "calls").string() +
      "\ncase $1 in\n"
      "--query-gpu=*) echo '" +
      kOneH100 +
      "' ;;\n"
      "--query-compute-apps=*) echo 'GPU-x, 7, 12, a b' ;;\n"
      "-L) echo 'GPU 0: H (UUID: GPU-x)'; echo '  MIG 1g.5gb  Device 0: (UUID: MIG-1)' ;;\n"
      "'') echo '| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4     |' ;;\n"
      "esac\n";
  const GpuReading reading = Read(body, true);
  EXPECT_EQ(reading.problem, "");
  EXPECT_EQ(reading.gpus.size(), 1u);
  EXPECT_EQ(reading.processes.at(0).name, "a b");
  EXPECT_EQ(reading.cuda, "12.4");
  EXPECT_EQ(reading.mig_devices.at(0).uuid, "MIG-1");
  EXPECT_EQ(Read(body, false).cuda, "");
  std::ifstream calls(folder_ / "calls");
  const std::string text((std::istreambuf_iterator<char>(calls)), {});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 8);  // five, and three without details
}

TEST_F(GpuScriptTest, AsksForDevicesWhereAGpuIsDivided) {
  const GpuReading reading = Read(
      "case $1 in\n"
      "--query-gpu=*) echo '0, GPU-b, 00000000:07:00.0, 535.86.10, [N/A], 14380, 40960, 25974, 33, 87.1, 1410, "
      "1215, Enabled, NVIDIA A100' ;;\n"
      "-L) echo 'GPU 0: A100 (UUID: GPU-b)'; echo '  MIG 1g.5gb  Device 0: (UUID: MIG-1)' ;;\n"
      "esac\n",
      false);
  EXPECT_EQ(reading.problem, "");
  EXPECT_EQ(reading.mig_devices.at(0).uuid, "MIG-1");
}

TEST_F(GpuScriptTest, AsksOldDriversWithoutTheFieldThatTheyDoNotKnow) {
  const GpuReading reading = Read(
      "case $1 in\n"
      "*mig.mode*) echo 'Field \"mig.mode.current\" is not a valid field to query.'; exit 2 ;;\n"
      "--query-gpu=*) echo '0, GPU-1, 00000000:07:00.0, 390.1, 5, 63, 11441, 11378, 40, 60.5, 562, 2505, Tesla K80' "
      ";;\n"
      "esac\n",
      false);
  EXPECT_EQ(reading.problem, "");
  EXPECT_EQ(reading.gpus.at(0).memory_clock, 2505);
  EXPECT_EQ(reading.gpus.at(0).name, "Tesla K80");
  EXPECT_TRUE(reading.knows_gpus());
}

TEST_F(GpuScriptTest, AsksOnlyForFieldsThatAreKnown) {
  const GpuReading reading = Read(
      "case $1 in\n"
      "*pci.bus_id*) echo 'Field \"pci.bus_id\" is not a valid field to query.'; exit 2 ;;\n"
      "--query-gpu=*) echo '0, GPU-1, 390.1, 5, 63, 11441, 11378, 40, 60.5, 562, 2505, Tesla K80' ;;\n"
      "esac\n",
      false);
  EXPECT_TRUE(reading.knows_gpus());
  EXPECT_EQ(reading.gpus.at(0).uuid, "GPU-1");
  EXPECT_EQ(reading.gpus.at(0).bus_id, "");
  EXPECT_EQ(reading.gpus.at(0).utilization, 0.05);
  EXPECT_EQ(reading.gpus.at(0).name, "Tesla K80");
}

TEST_F(GpuScriptTest, KeepsStderrApartAndAsksForProcessesThoughAGpuIsLost) {
  const GpuReading reading = Read(std::string("case $1 in\n"
                                              "--query-gpu=*) echo 'Warning: something' >&2; echo '") +
                                      kOneH100 +
                                      "'; echo 'Unable to determine the device handle for GPU1: 0000:52:00.0: Unknown "
                                      "Error' >&2; exit 15 ;;\n"
                                      "--query-compute-apps=*) echo \"GPU-x, $$, 12, a b\"; exit 15 ;;\n"
                                      "esac\n",
                                  false);
  EXPECT_EQ(reading.exit_status, 15);
  EXPECT_EQ(reading.gpus.size(), 1u);
  EXPECT_EQ(reading.lost.size(), 1u);
  EXPECT_EQ(reading.processes.size(), 1u);
  EXPECT_TRUE(reading.knows_gpus());
}

TEST_F(GpuScriptTest, NamesTheUsersOfProcesses) {
  const std::string pid = std::to_string(::getpid());
  const std::string body = "case $1 in\n--query-gpu=*) echo '" + std::string(kOneH100) +
                           "' ;;\n"
                           "--query-compute-apps=*) echo 'GPU-x, " +
                           pid + ", 12, a' ;;\nesac\n";
  const GpuReading reading = Read(body, false);
  EXPECT_EQ(reading.processes.at(0).user, "root");
  ASSERT_TRUE(reading.processes.at(0).started);
  EXPECT_GT(*reading.processes.at(0).started, 0);
}

TEST_F(GpuScriptTest, AsksForThoseWhoDrawWhereMemoryIsInUseByNobodyKnown) {
  std::string row = kOneH100;
  const std::string pids =
      "-q) echo 'GPU 00000000:4F:00.0'; echo '  Process ID : 1'; echo '   Type : G'; echo '   Name : Xorg' ;;\n";
  const auto read = [&](const std::string& apps) {
    return Read(
        "case $1 in\n--query-gpu=*) echo '" + row + "' ;;\n--query-compute-apps=*) " + apps + " ;;\n" + pids + "esac\n",
        false);
  };
  const GpuReading drawn = read(":");
  ASSERT_EQ(drawn.processes.size(), 1u);
  EXPECT_EQ(drawn.processes[0].name, "Xorg");
  EXPECT_TRUE(drawn.processes[0].draws);
  EXPECT_EQ(drawn.processes[0].user, "root");
  EXPECT_EQ(read("echo 'GPU-5a5ba6ab-9a8c-9d0f-1a27-0c4b0f0f7e11, 7, 1014, python3'").processes.size(), 1u);
  row.replace(row.find("1024"), 4, "24");
  EXPECT_THAT(read(":").processes, IsEmpty());
}

TEST_F(GpuScriptTest, SaysForCertainThatThereIsNone) {
  ::setenv("PATH", folder_.c_str(), 1);  // without even a shell's tools
  for (const char* tool : {"sh", "timeout"}) {
    std::filesystem::create_symlink(std::filesystem::path("/usr/bin") / tool, folder_ / tool);
  }
  LocalTarget target(folder_.string());
  const GpuReading reading = ReadGpus(&target, false);
  EXPECT_TRUE(reading.knows_none());
  EXPECT_EQ(reading.problem, "");
}

TEST_F(GpuScriptTest, TellsOfAFailure) {
  EXPECT_THAT(Read("echo 'No devices were found'\nexit 6\n", false).problem, HasSubstr("status 6: No devices"));
  const GpuReading killed = Read("kill -9 $$\n", false);
  EXPECT_THAT(killed.problem, HasSubstr("did not answer"));
  EXPECT_FALSE(killed.knows_gpus() || killed.knows_none());
}

}  // namespace
}  // namespace cosmos
