#include "run/preflight/local_needs.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "media/media_fixture.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LocalNeedsTest : public MediaFixture {
 protected:
  LocalNeedsTest() { needs_.stage = "render"; }

  // A video that the stage needs.
  void Need(const std::string& parameter, const std::filesystem::path& path) {
    needs_.videos.push_back({parameter, path});
  }
  std::filesystem::path Clip(const std::string& name, const std::string& size, int frames) const {
    return Make(name, "testsrc2=r=24:s=" + size, {"-frames:v", std::to_string(frames), "-pix_fmt", "yuv420p"});
  }
  PreflightFindings Look() { return LocalNeeds(&cancel_).Look(needs_); }
  // The one finding there is.
  void Expect(Severity severity, const std::string& parameter, const std::string& message) {
    const PreflightFindings findings = Look();
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].severity, severity);
    EXPECT_EQ(findings[0].stage, "render");
    EXPECT_EQ(findings[0].target, "");
    EXPECT_EQ(findings[0].parameter, parameter);
    EXPECT_THAT(findings[0].message, AllOf(HasSubstr(parameter + " '"), HasSubstr(message)));
    EXPECT_THAT(findings[0].hint, Not(IsEmpty()));
  }

  StageNeeds needs_;
};

TEST_F(LocalNeedsTest, GoodVideosAreNotTalkedOf) {
  Need("input_video", Clip("in.mp4", "128x72", 5));
  Need("controls.edge.video", Clip("edge.mp4", "64x36", 5));
  needs_.alike = true;
  needs_.sizes = {{1280, 720}};
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(LocalNeedsTest, WithoutWorkingToolsAStageOfVideosIsRefused) {
  Need("input", Clip("in.mp4", "128x72", 5));
  const NoPrograms no_programs;
  const PreflightFindings missing = Look();
  needs_.videos.clear();
  const PreflightFindings without_videos = Look();
  needs_.sizes = {{1280, 720}};  // of what it makes
  const PreflightFindings making = Look();
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].severity, Severity::kError);
  EXPECT_THAT(missing[0].message, HasSubstr("there is no ffprobe on this machine"));
  EXPECT_THAT(without_videos, IsEmpty());
  EXPECT_TRUE(HasErrors(making));
}

TEST_F(LocalNeedsTest, AMissingFileAndOneThatIsNoVideo) {
  Need("input", Path("none.mp4"));
  Expect(Severity::kError, "input", "none.mp4");
  needs_.videos.clear();
  std::filesystem::create_directories(Path("folder.mp4"));
  Need("input", Path("folder.mp4"));
  Expect(Severity::kError, "input", "folder.mp4");
}

TEST_F(LocalNeedsTest, ADamagedVideo) {
  // The index stands at the front, so that only decoding tells what is missing.
  const auto path = Make("in.mp4", "testsrc2=r=24:s=320x240:d=2", {"-movflags", "+faststart", "-pix_fmt", "yuv420p"});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  Need("input", path);
  Expect(Severity::kError, "input", "it does not decode to its end: ");
}

TEST_F(LocalNeedsTest, AnotherLength) {
  Need("input_video", Clip("in.mp4", "128x72", 5));
  Need("controls.edge.video", Clip("edge.mp4", "128x72", 4));
  EXPECT_THAT(Look(), IsEmpty());  // unless they must be alike
  needs_.alike = true;
  Expect(Severity::kError, "controls.edge.video", "has 4 frames, expected 5 as input_video '");
}

TEST_F(LocalNeedsTest, AnotherShape) {
  needs_.alike = true;
  Need("input_video", Clip("in.mp4", "128x72", 5));
  Need("controls.edge.video", Clip("edge.mp4", "72x72", 5));
  Expect(Severity::kError, "controls.edge.video", "has 72x72 pixels, expected the shape of input_video '");
}

TEST_F(LocalNeedsTest, AShapeThatTheModelDistorts) {
  needs_.sizes = {{704, 1280}, {1280, 704}};
  Need("input_video", Clip("in.mp4", "128x72", 5));
  EXPECT_THAT(Look(), IsEmpty());
  needs_.videos.clear();
  Need("input_video", Clip("wide.mp4", "240x100", 5));
  Expect(Severity::kWarning, "input_video", "the model works in 1280x704, the nearest in shape: it distorts");
}

TEST_F(LocalNeedsTest, WhatTheRunBringsIsNotLookedAt) {
  Need("input", "${{ stages.clip.outputs.video }}");
  const PreflightFindings findings = Look();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].severity, Severity::kInfo);
  EXPECT_THAT(findings[0].message, HasSubstr("is known only when the run is there"));
}

TEST_F(LocalNeedsTest, AFileIsLookedAtOnce) {
  const auto path = Clip("in.mp4", "128x72", 5);
  Need("input", path);
  LocalNeeds local(&cancel_);
  EXPECT_THAT(local.Look(needs_), IsEmpty());
  std::filesystem::remove(path);
  EXPECT_THAT(local.Look(needs_), IsEmpty());
}

TEST_F(LocalNeedsTest, EndsWhenCancelled) {
  Need("input", Path("none.mp4"));
  cancel_.Cancel();
  EXPECT_THAT(Look(), IsEmpty());
}

}  // namespace
}  // namespace cosmos
