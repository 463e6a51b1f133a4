#include "run/preflight/download_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/command.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using Severity = PreflightFinding::Severity;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kTooMuch = 1e9;  // GB; no disk has it

// The lines as this machine's shells carry them out, with a home folder of the test's own.
class DownloadNeedsTest : public ::testing::TestWithParam<const char*> {
 protected:
  DownloadNeedsTest() {
    char name[] = "/tmp/cosmos-download-XXXXXX";
    home_ = ::mkdtemp(name);
    needs_.stage = "render";
    needs_.target = "gpu1";
    needs_.download = {"~/.cache/hf", "HF_HOME", "hub/it's $(a) model", kTooMuch};
  }
  ~DownloadNeedsTest() override { fs::remove_all(home_); }

  // What is found; `variables` are those of the host's shell.
  PreflightFindings Look(const std::vector<std::string>& variables = {}) const {
    const auto lines = DownloadLines(needs_, "/place");
    if (!lines) return JudgeDownload(needs_, TargetFacts(""), -1);
    std::vector<std::string> words = {"env", "-u", "HF_HOME", "HOME=" + home_.string()};
    words.insert(words.end(), variables.begin(), variables.end());
    words.insert(words.end(), {GetParam(), "-c", kDownloadFunction + *lines + "room 7 \"$path\"\n"});
    const CancelToken cancel;
    const CommandResult result = RunCommand(words, std::chrono::hours(1), cancel);
    return JudgeDownload(needs_, TargetFacts(result.output), 7);
  }
  void Expect(Severity severity, const std::string& path, const std::string& message,
              const std::vector<std::string>& variables = {}) const {
    const PreflightFindings findings = Look(variables);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].severity, severity);
    EXPECT_EQ(findings[0].file, path);
    EXPECT_THAT(findings[0].message, AllOf(HasSubstr("'" + path + "'"), HasSubstr(message)));
  }
  fs::path Kept(const fs::path& below = ".cache/hf") const { return home_ / below / "hub/it's $(a) model"; }

  fs::path home_;
  StageNeeds needs_;
};

TEST_P(DownloadNeedsTest, IsNothingToLookAtOnceItIsThere) {
  Expect(Severity::kError, Kept(), "are free for it, expected about 1e+09 GB");
  fs::create_directories(Kept());
  Expect(Severity::kError, Kept(), "is not there yet");  // an empty folder has nothing
  std::ofstream(Kept() / "model.pt") << "x";
  EXPECT_THAT(Look(), IsEmpty());
  fs::remove_all(Kept());
  std::ofstream(Kept()) << "x";
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_P(DownloadNeedsTest, SaysWhatItKnows) {
  needs_.download.gb = 1e-9;
  Expect(Severity::kInfo, Kept(), "about 1e-09 GB are to be downloaded");
  needs_.download.gb = 0;
  Expect(Severity::kInfo, Kept(), "how much that is is not known");
}

TEST_P(DownloadNeedsTest, IsWhereTheVariableSays) {
  Expect(Severity::kError, Kept("other"), "", {"HF_HOME=" + (home_ / "other").string()});
  Expect(Severity::kError, Kept(), "", {"HF_HOME="});
  needs_.env = {{"HF_HOME", "~/mine"}};
  Expect(Severity::kError, Kept("mine"), "", {"HF_HOME=" + (home_ / "other").string()});
  EXPECT_THAT(Look()[0].hint, HasSubstr("`env: {HF_HOME: …}`"));
  needs_.env = {{"HF_HOME", "${{ secrets.place }}"}};
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_P(DownloadNeedsTest, OfAContainerIsBelowAMount) {
  needs_.container = {{"image", "i"}, {"mounts", {"~/.cache:/root/.cache"}}};
  Expect(Severity::kError, Kept(), "is not there yet");
  needs_.container = {{"image", "i"}};
  Expect(Severity::kInfo, "/root/.cache/hf/hub/it's $(a) model", "is inside the container's image");
}

TEST_P(DownloadNeedsTest, WithoutAFolderOfItsOwnIsBelowThatOfTheFiles) {
  needs_.folder = "~/repo";
  needs_.download = {"", "", "checkpoints", kTooMuch};
  Expect(Severity::kError, home_ / "repo/checkpoints", "");
  needs_.download = {};
  EXPECT_THAT(Look(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Shells, DownloadNeedsTest, ::testing::Values("sh", "bash"));

}  // namespace
}  // namespace cosmos
