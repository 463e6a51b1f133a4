#include "media/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

class ManifestTest : public MediaFixture {};

TEST_F(ManifestTest, IsReadAsItWasWritten) {
  MadeVideo video;
  video.file = "depth.mp4";
  video.source = "it's \"a\".####.exr";
  video.inputs = "1234";
  video.numbers = FrameSet::Parse("1001-1100");
  video.held = FrameSet::Parse("1003-1004,1010");
  video.width = 64;
  video.height = 48;
  video.rate = {24000, 1001};
  video.size = 12345;
  video.sha256 = "abcd";
  video.depth = DepthRange{0.25, 100};
  video.depth_inverted = true;
  video.layer = "ViewLayer.Depth";
  video.colorspace = "acescg";
  MadeVideo plain;
  plain.numbers = FrameSet::Parse("1-9x2");
  const Manifest manifest{"city", "/shots/city", true, {{"depth", video}, {"seg", plain}}, {"a warning"}};
  WriteManifest(manifest, Path("manifest.json"));
  const auto read = ReadManifest(Path("manifest.json"));
  ASSERT_TRUE(read);
  EXPECT_EQ(ToJson(*read), ToJson(manifest));
  EXPECT_EQ(read->controls.at("depth").depth, video.depth);
  EXPECT_EQ(read->controls.at("depth").layer, "ViewLayer.Depth");
  EXPECT_EQ(read->controls.at("depth").colorspace, "acescg");
  EXPECT_EQ(read->controls.at("seg").colorspace, "");
  EXPECT_FALSE(read->controls.at("seg").depth);
}

TEST_F(ManifestTest, WhatIsNoManifestIsNone) {
  EXPECT_FALSE(ReadManifest(Path("none.json")));
  for (const char* text : {"", "{", "[]", "{}", R"({"version": 2})", R"({"version": 1, "name": 5})"}) {
    WriteFile(Path("manifest.json"), text);
    EXPECT_FALSE(ReadManifest(Path("manifest.json"))) << text;
  }
}

TEST(InputsDigest, ChangesWithFramesAndSettings) {
  const auto frames = [](const std::string& control, const std::string& suffix) {
    return ControlFrames{
        control,
        {"a.", suffix, 4, {{1, {"a.0001", 10, 7}}, {2, {"a.0002", 10, 7}}, {3, {"a.0003", 10, 7}}}, {}},
        FrameSet::Range(1, 2)};
  };
  const VideoSettings settings;
  const std::string digest = InputsDigest(frames("depth", ".exr"), settings);
  EXPECT_EQ(InputsDigest(frames("depth", ".exr"), settings), digest);

  ControlFrames changed = frames("depth", ".exr");
  changed.sequence.frames.at(2).modified = 8;
  EXPECT_NE(InputsDigest(changed, settings), digest);
  changed = frames("depth", ".exr");
  changed.sequence.frames.at(1).size = 11;
  EXPECT_NE(InputsDigest(changed, settings), digest);
  changed = frames("depth", ".exr");
  changed.numbers = FrameSet::Parse("1-3");
  EXPECT_NE(InputsDigest(changed, settings), digest);
  changed = frames("depth", ".exr");
  changed.sequence.frames.at(3).modified = 8;  // outside of the range
  EXPECT_EQ(InputsDigest(changed, settings), digest);

  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.rate = {25, 1}}), digest);
  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.depth = DepthRange{1, 2}}), digest);
  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.invert_depth = true}), digest);
  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.layer = "Z"}), digest);
  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.colorspace = "raw"}), digest);
  EXPECT_NE(InputsDigest(frames("depth", ".exr"), {.colour_config = "1"}), digest);
  EXPECT_EQ(InputsDigest(frames("seg", ".png"), {.depth = DepthRange{1, 2}, .invert_depth = true}),
            InputsDigest(frames("seg", ".png"), settings));
}

}  // namespace
}  // namespace cosmos
