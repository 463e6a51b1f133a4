#include "run/preflight/target_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/command.h"
#include "run/preflight/gpu_needs.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Severity = PreflightFinding::Severity;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(PathOnHostTest, IsBelowTheFolderThatTheJobWorksIn) {
  StageNeeds needs;
  EXPECT_EQ(PathOnHost(needs, "a.pt", "/place"), "/place/a.pt");
  EXPECT_EQ(PathOnHost(needs, "/data/a.pt", "/place"), "/data/a.pt");
  needs.folder = "~/repo";
  EXPECT_EQ(PathOnHost(needs, "a.pt", "/place"), "~/repo/a.pt");
  needs.folder = "/repo";
  EXPECT_EQ(PathOnHost(needs, "a.pt", "/place"), "/repo/a.pt");
}

TEST(PathOnHostTest, OfAContainerIsBelowAMount) {
  StageNeeds needs;
  needs.container = {{"image", "i"},
                     {"workdir", "/workspace"},
                     {"mounts", {"./repo:/workspace", "/models:/workspace/checkpoints:ro", "~/.cache:/root/.cache"}}};
  EXPECT_EQ(PathOnHost(needs, "a.py", "/place"), "/place/repo/a.py");
  EXPECT_EQ(PathOnHost(needs, "checkpoints/a.pt", "/place"), "/models/a.pt");
  EXPECT_EQ(PathOnHost(needs, "checkpoints", "/place"), "/models");
  EXPECT_EQ(PathOnHost(needs, "/root/.cache/x", "/place"), "~/.cache/x");
  EXPECT_EQ(PathOnHost(needs, "/place/x", "/place"), "/place/x");
  EXPECT_EQ(PathOnHost(needs, "/workspaces/x", "/place"), std::nullopt);
  needs.folder = "~/repo";
  EXPECT_EQ(PathOnHost(needs, "a.py", "/place"), std::nullopt);
}

// The script as this machine's shells carry it out, with programs of the test's own before all others.
class TargetNeedsTest : public ::testing::TestWithParam<const char*> {
 protected:
  TargetNeedsTest() {
    char name[] = "/tmp/cosmos-needs-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ / "bin");
    needs_.stage = "render";
    needs_.target = "gpu1";
  }
  ~TargetNeedsTest() override { fs::remove_all(folder_); }

  void Program(const std::string& name, const std::string& script) {
    std::ofstream(folder_ / "bin" / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder_ / "bin" / name, fs::perms(0755));
  }
  PreflightFindings Look() {
    TargetQuestions questions(folder_);
    questions.Ask(needs_);
    const CancelToken cancel;
    const CommandResult result =
        RunCommand({"env", "HOME=" + folder_.string(), "PATH=" + (folder_ / "bin").string() + ":/usr/bin:/bin",
                    GetParam(), "-c", questions.Script()},
                   std::chrono::hours(1), cancel);
    output_ = result.output;
    PreflightFindings findings = questions.Judge(needs_, TargetFacts(output_));
    for (PreflightFinding& finding : JudgeGpus(needs_, ParseGpuAnswer(output_), 0)) findings.push_back(finding);
    return findings;
  }

  fs::path folder_;
  StageNeeds needs_;
  std::string output_;
};

TEST_P(TargetNeedsTest, FindsFilesAndProgramsWhateverTheirNames) {
  const std::string odd = "it's $(odd) \"x\".pt";
  std::ofstream(folder_ / odd) << "x";
  Program("torchrun", "exit 1");
  needs_.folder = "~/";
  needs_.files = {odd, "none.pt", "bin"};
  needs_.files_hint = "fetch it";
  needs_.programs = {"torchrun", "no-such-program"};
  needs_.disk_gb = 1e-9;
  const PreflightFindings findings = Look();
  ASSERT_EQ(findings.size(), 2u) << output_;
  EXPECT_THAT(findings[0].message, HasSubstr("none.pt', and the job needs it"));
  EXPECT_EQ(findings[0].hint, "fetch it");
  EXPECT_THAT(findings[1].message, HasSubstr("there is no program 'no-such-program'"));
}

TEST_P(TargetNeedsTest, OfAFolderThatIsNotThereItTellsOnce) {
  needs_.folder = "~/repo";
  needs_.files = {"a.pt", "b.pt", "/elsewhere/c.pt"};
  needs_.files_hint = "fetch it";
  const PreflightFindings findings = Look();
  ASSERT_EQ(findings.size(), 2u) << output_;
  EXPECT_EQ(findings[0].message, "there is no folder '~/repo', and the job needs what should be in it");
  EXPECT_EQ(findings[0].hint, "fetch it");
  EXPECT_THAT(findings[1].message, HasSubstr("/elsewhere/c.pt"));
  fs::create_directory(folder_ / "repo");
  EXPECT_EQ(Look().size(), 3u);
}

TEST_P(TargetNeedsTest, AsksForGpusAndDisk) {
  Program("nvidia-smi",
          "echo \"0, GPU-0, 00000000:4F:00.0, 570.124.06, 0, 80559, 81559, 1000, 30, 70, 345, 2619, Disabled, H100\"");
  needs_.gpu_memory_gb = 70;
  needs_.disk_gb = 1e9;
  const PreflightFindings findings = Look();
  ASSERT_EQ(findings.size(), 2u) << output_;
  EXPECT_THAT(findings[0].message, HasSubstr("GB are free in '" + folder_.string() + "'"));
  EXPECT_THAT(findings[1].message, HasSubstr("GPU 0 has 1.0 GB of memory free, expected 70.0 GB"));
}

TEST_P(TargetNeedsTest, AsksForTheImage) {
  needs_.container = {{"image", "model:1"}};
  Program("docker", "echo 'manifest unknown' >&2; test \"$1\" = version");
  PreflightFindings findings = Look();
  ASSERT_EQ(findings.size(), 1u) << output_;
  EXPECT_EQ(findings[0].severity, Severity::kError);
  EXPECT_THAT(findings[0].message, HasSubstr("cannot be pulled: manifest unknown"));
  Program("docker", "test \"$1\" != image");
  findings = Look();
  ASSERT_EQ(findings.size(), 2u) << output_;
  EXPECT_EQ(findings[1].severity, Severity::kWarning);
  EXPECT_THAT(findings[1].message, HasSubstr("nothing of NVIDIA's container toolkit"));
  Program("docker", "if [ \"$1\" = info ]; then echo ' Runtimes: nvidia runc'; else test \"$1\" != image; fi");
  findings = Look();
  ASSERT_EQ(findings.size(), 1u) << output_;
  EXPECT_EQ(findings[0].severity, Severity::kInfo);
  Program("docker", "exit 1");
  findings = Look();
  ASSERT_EQ(findings.size(), 1u) << output_;
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
  Program("docker", "exit 0");
  EXPECT_THAT(Look(), IsEmpty()) << output_;
}

INSTANTIATE_TEST_SUITE_P(Shells, TargetNeedsTest, ::testing::Values("sh", "bash"));

}  // namespace
}  // namespace cosmos
