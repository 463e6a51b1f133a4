#include "run/targets/target_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "run/targets/target_facts.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Result = TargetCheck::Result;
using std::chrono::seconds;
using testing::HasSubstr;

// Facts of a good host that was asked at second 1000 by our clock and answered at 1010.
constexpr const char* kGood =
    "begin 1000.1\nuser me\nwritable yes\nfree 50000000000\nnvidia_smi_lists 0\n"
    "listed GPU 0: NVIDIA H100 (UUID: GPU-a)\nlisted GPU 1: NVIDIA H100 (UUID: GPU-b)\ngpus told\n"
    "engine 0\nengine_says 28.2.2\nimage 0\ngpu_container 0\nend 1009.9\n";

class TargetJudgeTest : public ::testing::Test {
 protected:
  // The good facts with one line, that begins with `key `, replaced.
  static std::string Facts(const std::string& key, const std::string& lines) {
    std::string facts = std::string("\n") + kGood;
    for (std::size_t at; (at = facts.find("\n" + key + " ")) != facts.npos;) {
      facts.erase(at, facts.find('\n', at + 1) - at);
    }
    return lines + facts.substr(1);
  }
  TargetCheck Judge(const std::string& name, const std::string& facts) const {
    for (const TargetCheck& check : JudgeTarget(config_, "/w", TargetFacts(facts), ParseGpuAnswer(facts),
                                                WallTime(seconds(1000)), WallTime(seconds(1010)))) {
      if (check.name == name) return check;
    }
    ADD_FAILURE() << "there is no check " << name;
    return {};
  }
  void Expect(const std::string& name, const std::string& facts, Result result, const std::string& message,
              const std::string& hint) const {
    const TargetCheck check = Judge(name, facts);
    EXPECT_EQ(ToString(check.result), ToString(result)) << check.message;
    EXPECT_THAT(check.message, HasSubstr(message));
    EXPECT_THAT(check.hint, HasSubstr(hint));
  }

  json config_ = {{"ssh", "gpu"}, {"gpus", 2}, {"container", {{"image", "cosmos:1"}}}};
};

TEST_F(TargetJudgeTest, FindsAGoodHostGood) {
  const TargetChecks checks =
      JudgeTarget(config_, "/w", TargetFacts(kGood), GpuReading(), WallTime(seconds(1000)), WallTime(seconds(1010)));
  EXPECT_EQ(checks.size(), 8u);
  for (const TargetCheck& check : checks) EXPECT_EQ(check.result, Result::kOk) << check.name << check.message;
  EXPECT_EQ(Judge("gpus", kGood).message, "2 × NVIDIA H100");
  EXPECT_EQ(Judge("disk", kGood).message, "50.0 GB free in /w");
  EXPECT_EQ(Judge("container", kGood).message, "docker 28.2.2 can be used");
}

TEST_F(TargetJudgeTest, ComparesClocksHoweverLongTheHostTakes) {
  Expect("clock", kGood, Result::kOk, "0.10 s or less", "");
  const auto clock = [](const std::string& begin, const std::string& end) {
    return "begin " + begin + "\nend " + end + "\n";
  };
  Expect("clock", clock("1002.0", "1011.9"), Result::kOk, "2.00 s or less", "");
  Expect("clock", clock("1003.0", "1013.5"), Result::kWarning, "3.5 s ahead of this machine's, expected at most 2 s",
         "set-ntp");
  Expect("clock", clock("400.0", "409.0"), Result::kWarning, "600.0 s behind", "set-ntp");
  // A slow way there or back proves nothing.
  Expect("clock", clock("1009.0", "1009.1"), Result::kOk, "9.00 s or less", "");
  Expect("clock", "begin 1000.1\n", Result::kInfo, "not known", "");
}

TEST_F(TargetJudgeTest, WarnsOfALittleDisk) {
  Expect("disk", Facts("free", "free 19900000000\n"), Result::kWarning, "19.9 GB free in /w, expected at least 20 GB",
         "cosmos-engine gc");
  Expect("disk", Facts("free", ""), Result::kInfo, "not known", "");
}

TEST_F(TargetJudgeTest, WantsAFolderThatCanBeWrittenTo) {
  Expect("workdir", Facts("writable", "unwritable Permission denied\n"), Result::kFailed,
         "cannot write into /w: Permission denied", "a folder of me");
  Expect("workdir", Facts("writable", ""), Result::kFailed, "did not answer", "");
}

TEST_F(TargetJudgeTest, ComparesGpusWithTheTarget) {
  config_["gpus"] = 3;
  Expect("gpus", kGood, Result::kFailed, "2 × NVIDIA H100, expected 3", "`gpus:`");
  config_["gpus"] = 1;
  Expect("gpus", kGood, Result::kWarning, "2 × NVIDIA H100, expected 1", "`gpus: 2`");
  config_.erase("gpus");
  Expect("gpus", kGood, Result::kOk, "2 × NVIDIA H100", "");
}

TEST_F(TargetJudgeTest, WantsGpusThatWork) {
  const std::string rows =
      "gpu_columns 14\nnvidia_smi 0\n"
      "gpu 0, GPU-a, 00000000:4F:00.0, 550.1, [N/A], 0, 81559, 80900, [GPU requires reset], 70, 345, 2619, Disabled, "
      "H\n"
      "gpu_error Unable to determine the device handle for GPU1: 0000:52:00.0: Unknown Error\n";
  Expect("gpus", rows + kGood, Result::kFailed,
         "expected 2 (`gpus:`): GPU 0: GPU requires reset; GPU 1 (0000:52:00.0): Unknown Error", "reset");
  config_.erase("gpus");
  Expect("gpus", rows + kGood, Result::kWarning, "GPU 0: GPU requires reset", "reset");
}

TEST_F(TargetJudgeTest, WantsAContainerEngineThatGivesGpus) {
  const auto says = [&](const std::string& status, const std::string& words) {
    return Facts("gpu_container", "gpu_container " + status + "\ngpu_container_says " + words + "\n");
  };
  Expect("container_gpus", kGood, Result::kOk, "was started", "");
  Expect("container_gpus",
         says("125",
              "docker: Error response from daemon: could not select device driver \"\" with capabilities: [[gpu]]."),
         Result::kFailed, "docker cannot give containers GPUs: docker: Error response from daemon: could not select",
         "container toolkit");
  Expect("container_gpus", says("127", "nvidia-container-cli: initialization error: nvml error: driver not loaded"),
         Result::kFailed, "nvml error", "container toolkit");
  Expect("container_gpus", says("127", "exec: /bin/sh: stat /bin/sh: no such file or directory"), Result::kOk, "", "");
  Expect("container_gpus", says("124", ""), Result::kWarning, "did not start within", "restart");
  Expect("container_gpus", Facts("gpu_container", "gpu_container image\ngpu_container_toolkit no\n"), Result::kWarning,
         "nothing of NVIDIA's container toolkit", "container toolkit");
}

TEST_F(TargetJudgeTest, WantsNvidiaSmiWhereGpusAreExpected) {
  const std::string none = "gpus told\n";
  const std::string broken = "nvidia_smi_lists 9\nlisted NVIDIA-SMI has failed\ngpus told\n";
  Expect("gpus", none, Result::kFailed, "no nvidia-smi, expected 2 (`gpus:`)", "driver");
  Expect("gpus", broken, Result::kFailed, "NVIDIA-SMI has failed", "driver");
  Expect("gpus", "nvidia_smi_lists 0\nlisted No devices were found\ngpus told\n", Result::kFailed, "no GPU, expected 2",
         "");
  Expect("gpus", "", Result::kFailed, "nvidia-smi did not answer within 120 s", "hangs");
  config_.erase("gpus");
  Expect("gpus", none, Result::kWarning, "no nvidia-smi", "if it has GPUs");
  Expect("gpus", broken, Result::kWarning, "NVIDIA-SMI has failed", "driver");
  config_ = {{"local", json::object()}};
  Expect("gpus", none, Result::kInfo, "no nvidia-smi", "");
}

TEST_F(TargetJudgeTest, TellsWhyAContainerEngineCannotBeUsed) {
  const auto says = [](const std::string& words) { return "engine 1\nengine_says \nengine_says " + words + "\n"; };
  Expect("container", says("permission denied while trying to connect"), Result::kFailed,
         "`docker version` fails: permission denied while", "group `docker`");
  Expect("container", says("Cannot connect to the Docker daemon"), Result::kFailed, "Cannot connect", "start");
  Expect("container", says("timeout: failed to run command 'docker'"), Result::kFailed, "'docker'", "install docker");
  Expect("image", says("x"), Result::kInfo, "cosmos:1 cannot be looked for", "");
  config_["container"]["sudo"] = true;
  Expect("container", says("sudo: a password is required"), Result::kFailed, "`sudo docker version` fails", "NOPASSWD");
  Expect("container", says("timeout: failed to run command 'sudo'"), Result::kFailed, "'sudo'", "install sudo");
  config_.erase("container");
  Expect("container", says("x"), Result::kInfo, "no `container:`", "");
  Expect("container", kGood, Result::kInfo, "docker 28.2.2 could be used", "");
}

TEST_F(TargetJudgeTest, WarnsOfAnImageThatIsYetToBePulled) {
  Expect("image", Facts("image", "image 1\n"), Result::kWarning, "cosmos:1 is not there; it will be pulled",
         "beforehand");
  Expect("image", Facts("image", ""), Result::kFailed, "did not answer", "");
}

TEST_F(TargetJudgeTest, NamesTheToolsThatAreMissing) {
  Expect("tools", "missing setsid\nmissing GNU tail\n", Result::kFailed, "missing: setsid, GNU tail", "util-linux");
  config_ = {{"local", json::object()}};
  Expect("tools", "missing ffmpeg\n", Result::kWarning, "missing: ffmpeg", "install");
}

}  // namespace
}  // namespace cosmos
