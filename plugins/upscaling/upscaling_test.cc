#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::HasSubstr;

class UpscalingTest : public VideoFixture {
 protected:
  std::string Enlarge(const Json& parameters) {
    const Result result = host_.Run(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_OK) << result.text << "\n" << host_.job_log();
    return result.status == COSMOS_OK ? result.json.at("video").get<std::string>() : "";
  }

  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
};

TEST_F(UpscalingTest, DescribesItself) {
  const Json description = sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "upscaling");
  EXPECT_EQ(description.at("folder"), "{prompt_name}_upscaled");
  EXPECT_EQ(description.at("prompt_name"), "workflow");
  const Json& lanczos = description.at("parameters").at("oneOf").at(0);
  EXPECT_EQ(lanczos.at("properties").at("input").at("format"), "input-file");
}

TEST_F(UpscalingTest, EnlargesThreeTimesUnlessToldOtherwise) {
  const std::string video = Enlarge({{"input", Clip("in.mp4", "testsrc=s=160x90:r=30000/1001:d=1")}});
  EXPECT_EQ(Size(video), "480x270");
  EXPECT_EQ(Frames(video), 30);
  EXPECT_EQ(Probe(video).at("streams").at(0).at("r_frame_rate"), "30000/1001");
}

TEST_F(UpscalingTest, TakesAScaleOrASize) {
  const std::string input = Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.2");
  EXPECT_EQ(Size(Enlarge({{"input", input}, {"scale", 1.5}})), "240x136");
  EXPECT_EQ(Size(Enlarge({{"input", input}, {"width", 400}})), "400x226");
  EXPECT_EQ(Size(Enlarge({{"input", input}, {"height", 360}})), "640x360");
  EXPECT_EQ(Size(Enlarge({{"input", input}, {"width", 400}, {"height", 300}})), "400x300");
}

TEST_F(UpscalingTest, KeepsTheShapeOfPixels) {
  const std::string wide = Clip("wide.mp4", "testsrc=s=160x90:r=12:d=0.2", "-vf setsar=2/1");
  const std::string square = Clip("square.mp4", "testsrc=s=160x90:r=12:d=0.2");
  const auto shape = [](const std::string& video) {
    return Probe(video)["streams"][0].value("sample_aspect_ratio", "");
  };
  EXPECT_EQ(shape(Enlarge({{"input", wide}})), "2:1");
  EXPECT_EQ(shape(Enlarge({{"input", wide}, {"scale", 1.5}})), "2:1");
  EXPECT_EQ(shape(Enlarge({{"input", square}, {"scale", 1.5}})), "1:1");
  host_.Run(plugin_, {{"input", {square, wide}}});  // each its own
  EXPECT_EQ(shape(host_.output_folder() / "output_1.mp4") + " " + shape(host_.output_folder() / "output_2.mp4"),
            "1:1 2:1");
}

TEST_F(UpscalingTest, KeepsSoundAndMetadata) {
  const std::string input = Clip("in.mov", "testsrc=s=160x90:r=12:d=1",
                                 "-f lavfi -i sine=d=1 -c:a pcm_s16le -metadata comment='it'\\''s a $(prompt)'");
  const Json probe = Probe(Enlarge({{"input", input}}));
  ASSERT_EQ(probe.at("streams").size(), 2u);
  EXPECT_EQ(probe.at("streams").at(1).at("codec_name"), "aac");
  EXPECT_EQ(probe.at("format").at("tags").at("comment"), "it's a $(prompt)");
}

TEST_F(UpscalingTest, SharpensByItsWeight) {
  const std::string input = Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.2");
  const std::string none = Pixels(Enlarge({{"input", input}, {"weight", 0}}));
  const std::string half = Pixels(Enlarge({{"input", input}}));
  const std::string full = Pixels(Enlarge({{"input", input}, {"weight", 1}}));
  EXPECT_NE(none, half);
  EXPECT_NE(half, full);
  EXPECT_EQ(half, Pixels(Enlarge({{"input", input}, {"weight", 0.5}})));
}

TEST_F(UpscalingTest, EnlargesAListInOrderAndCountsAllFrames) {
  const Json inputs = {Clip("a 'b'.mp4", "testsrc=s=64x36:r=12:d=1"), Clip("c:d.mp4", "testsrc=s=32x18:r=12:d=0.5")};
  const Result result = host_.Run(plugin_, {{"input", inputs}});
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  ASSERT_EQ(result.json.at("video").size(), 2u);
  EXPECT_EQ(Size(result.json.at("video").at(0)), "192x108");
  EXPECT_EQ(Size(result.json.at("video").at(1)), "96x54");
  EXPECT_EQ(host_.progress.back().done, 18);
  EXPECT_EQ(host_.progress.back().total, 18);
  EXPECT_EQ(host_.progress.back().phase, "upscaling");
}

TEST_F(UpscalingTest, AListOfOneGivesAListOfOne) {
  const Result result = host_.Run(plugin_, {{"input", {Clip("a.mp4", "testsrc=s=64x36:r=12:d=0.2")}}});
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(result.json.at("video").size(), 1u);
}

TEST_F(UpscalingTest, FailsForInputsThatAreNoVideos) {
  EXPECT_EQ(host_.Run(plugin_, {{"input", Path("none.mp4")}}).json.at("kind"), "invalid_input");
  std::ofstream(Path("text.mp4")) << "no video";
  EXPECT_EQ(host_.Run(plugin_, {{"input", Path("text.mp4")}}).json.at("kind"), "exit_code");
}

TEST_F(UpscalingTest, ADryRunShowsWhatRuns) {
  const Json parameters = {{"input", Clip("in.mp4", "testsrc=s=64x36:r=12:d=0.2")}};
  const Result preview = host_.Preview(plugin_, parameters);
  EXPECT_TRUE(std::filesystem::is_empty(host_.output_folder()));
  Enlarge(parameters);
  EXPECT_EQ(preview.json, host_.specs.at(0));
  EXPECT_EQ(host_.Preview(plugin_, {{"input", "${{ stages.render.outputs.video }}"}}).status, COSMOS_OK);
}

}  // namespace
}  // namespace cosmos::plugins
