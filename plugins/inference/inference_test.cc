#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Where no text is burnt in.
constexpr const char* kMiddle = "40:10:60:40";

class InferenceTest : public VideoFixture {
 protected:
  Json Parameters(const std::string& input) const {
    return {{"model", "playblast"}, {"prompt", "a rainy city"}, {"input_video", input}};
  }

  // The path of the video; fails the test when there is none.
  std::string Render(const Json& parameters) {
    const Result result = host_.Run(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_OK) << result.text << "\n" << host_.job_log();
    return result.status == COSMOS_OK ? result.json.at("video").get<std::string>() : "";
  }

  static Json ReadRecord(const std::string& video) {
    return Json::parse(std::ifstream(std::filesystem::path(video).replace_extension(".json")));
  }

  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
};

TEST_F(InferenceTest, DescribesItself) {
  const Json description = sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "inference");
  EXPECT_EQ(description.at("prompt_name"), "workflow");
  EXPECT_EQ(description.at("folder"), "{prompt_name}");
  const Json& parameters = description.at("parameters");
  EXPECT_EQ(parameters.at("properties").at("model").at("enum"),
            Json({"playblast", "cosmos-transfer1", "cosmos-transfer2.5", "cosmos-predict2.5", "command"}));
  const Json& playblast = parameters.at("oneOf").at(0).at("properties");
  EXPECT_EQ(playblast.at("input_video").at("format"), "input-file");
  EXPECT_EQ(playblast.at("controls").at("properties").at("depth").at("required"), Json({"video"}));
}

TEST_F(InferenceTest, MakesAProxyThatSaysSo) {
  const std::string video = Render(Parameters(Clip("in.mp4", "testsrc=s=160x90:r=12:d=1")));
  EXPECT_EQ(Frames(video), 12);
  EXPECT_EQ(Size(video), "160x90");
  EXPECT_THAT(host_.job_log(), StartsWith("PLAYBLAST: this is a proxy"));
  EXPECT_THAT(Probe(video).at("format").at("tags").at("title"), HasSubstr("not a generated video"));
  EXPECT_EQ(ReadRecord(video).at("proxy"), true);
  EXPECT_EQ(Probe(video).at("streams").at(0).at("pix_fmt"), "yuv420p");
}

TEST_F(InferenceTest, KeepsTheShapeOfPixels) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.5", "-vf setsar=2/1"));
  parameters["controls"]["depth"] = {{"video", Clip("depth.mp4", "color=gray:s=320x90:r=12:d=0.5")}, {"weight", 1}};
  EXPECT_EQ(Probe(Render(parameters)).at("streams").at(0).at("sample_aspect_ratio"), "2:1");
}

TEST_F(InferenceTest, TellsItsProgress) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc=s=160x90:r=24:d=2"));
  host_.piece = 7;  // so that lines come in pieces
  Render(parameters);
  ASSERT_FALSE(host_.progress.empty());
  EXPECT_EQ(host_.progress.front().total, 48);
  EXPECT_EQ(host_.progress.back().done, 48);
  EXPECT_EQ(host_.progress.back().phase, "rendering");
}

TEST_F(InferenceTest, AHostilePromptArrivesUnchangedAndExecutesNothing) {
  const std::string prompt =
      "it's \"rain\" $(touch PWNED) `touch PWNED` ${HOME} $((1+1)) %{n} %d a\\b\\\\ 'x': [v];,=\n"
      "second line: \xF0\x9F\x8C\xA7\xEF\xB8\x8F \xE9\x9B\xA8 !*?~#<>|&; -metadata x=y\r\n\tEOF";
  Json parameters = Parameters(Clip("in.mp4", "color=gray:s=160x90:r=12:d=0.5"));
  parameters["prompt"] = prompt;
  parameters["negative_prompt"] = prompt;
  const std::string video = Render(parameters);
  EXPECT_EQ(Probe(video).at("format").at("tags").at("comment"), prompt);
  EXPECT_EQ(ReadRecord(video).at("prompt"), prompt);
  EXPECT_EQ(ReadRecord(video).at("negative_prompt"), prompt);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(host_.folder())) {
    EXPECT_NE(entry.path().filename(), "PWNED");
  }
  EXPECT_FALSE(std::filesystem::exists("PWNED"));
}

TEST_F(InferenceTest, BurnsInPromptSeedAndWeights) {
  Json parameters = Parameters(Clip("in.mp4", "color=gray:s=640x360:r=12:d=0.1"));
  const std::string first = Pixels(Render(parameters));
  parameters["seed"] = 2;
  const std::string other_seed = Pixels(Render(parameters));
  parameters["prompt"] = "a rainy cita";
  const std::string other_prompt = Pixels(Render(parameters));
  EXPECT_NE(first, other_seed);
  EXPECT_NE(other_seed, other_prompt);
}

TEST_F(InferenceTest, ThePictureTellsSeedsAndWeightsApart) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc2=s=640x360:r=12:d=0.1"));
  const std::string middle = ",crop=320:160:160:100";
  const auto picture = [&](const Json& seed, double weight) {
    parameters["seed"] = seed;
    parameters["controls"] = {{"edge", {{"weight", weight}}}};
    return Pixels(Render(parameters), "trim=end_frame=1" + middle);
  };
  std::set<std::string> pictures;
  for (const Json& seed : {Json(0), Json(1), Json(2), Json(3), Json(18446744073709551615u)}) {
    for (const double weight : {0.2, 0.6}) pictures.insert(picture(seed, weight));
  }
  EXPECT_EQ(pictures.size(), 10u);
}

TEST_F(InferenceTest, ABoxOfOneLineHidesLittleOfThePicture) {
  Json parameters = Parameters(Clip("in.mp4", "color=white:s=640x360:r=12:d=0.1"));
  parameters["prompt"] = std::string(2000, 'W');
  EXPECT_GT(Luma(Render(parameters), "600:200:20:50"), 150);
}

TEST_F(InferenceTest, FrameNumbersBeginWithTheShotsFirstFrame) {
  const std::string clip = Clip("in.mp4", "color=gray:s=640x360:r=12:d=1");
  const std::string number = ",crop=140:40:500:320";
  const auto numbered = [&](const std::string& comment) {
    const std::string video = host_.folder() / ("of " + comment + ".mp4");
    sdk::testing::Shell("ffmpeg -nostdin -v error -y -i " + sdk::ShellQuote(clip) +
                        " -c copy -metadata comment=" + sdk::ShellQuote(comment) + " " + sdk::ShellQuote(video));
    return video;
  };
  const auto picture = [&](const Json& parameters, int frame) {
    return Pixels(Render(parameters),
                  "trim=start_frame=" + std::to_string(frame) + ":end_frame=" + std::to_string(frame + 1) + number);
  };
  Json given = Parameters(clip);
  given["first_frame"] = 1001;
  const std::string third = picture(given, 2);
  EXPECT_EQ(picture(Parameters(numbered("frames 1001-1012")), 2), third);
  // 1001, 1003, 1005. How it is compressed depends on the frames before, so no picture of another sequence equals it.
  EXPECT_NE(picture(Parameters(numbered("frames 1001-1040x2")), 2), third);
  given["first_frame"] = -7;
  EXPECT_EQ(picture(Parameters(numbered("frames -7-4")), 0), picture(given, 0));
  EXPECT_EQ(picture(Parameters(numbered("frames -7")), 0), picture(given, 0));
  EXPECT_NE(picture(given, 0), third);
  // What is no such note counts for nothing.
  const std::string from_one = picture(Parameters(clip), 0);
  for (const char* comment : {"frames 1,5,9-12", "frames $(touch PWNED)", "frames 1001-1100\nx", "a shot"}) {
    EXPECT_EQ(picture(Parameters(numbered(comment)), 0), from_one) << comment;
  }
  EXPECT_FALSE(std::filesystem::exists("PWNED"));
}

TEST_F(InferenceTest, BurnInsTellTheShotAndCanBeTurnedOff) {
  Json parameters = Parameters(Clip("in.mp4", "color=white:s=640x360:r=12:d=0.1"));
  const char* const kShotsPlace = "120:16:510:10";
  const int without = Luma(Render(parameters), kShotsPlace);
  parameters["shot"] = "sq010 %{n} sh020 v003";
  EXPECT_LT(Luma(Render(parameters), kShotsPlace), without - 30);
  parameters["burn_in"] = false;
  EXPECT_EQ(Luma(Render(parameters), kShotsPlace), without);
  EXPECT_EQ(Luma(Render(parameters), "100:16:8:8"), without);
  EXPECT_EQ(Luma(Render(parameters), "100:16:8:340"), without);
}

TEST_F(InferenceTest, BurnsInTheFrameNumber) {
  const std::string video = Render(Parameters(Clip("in.mp4", "color=gray:s=640x360:r=12:d=1")));
  EXPECT_NE(Pixels(video, "trim=start_frame=2:end_frame=3,crop=140:40:500:320"),
            Pixels(video, "trim=start_frame=7:end_frame=8,crop=140:40:500:320"));
}

TEST_F(InferenceTest, BurnsInThePromptAsItIsWritten) {
  // drawtext would expand this to the frame's number.
  Json parameters = Parameters(Clip("in.mp4", "color=gray:s=640x360:r=12:d=1"));
  parameters["prompt"] = "%{n} %{pts}";
  const std::string video = Render(parameters);
  const std::string prompt = ",crop=200:60:0:20";
  EXPECT_LT(Luma(video, "100:16:8:30"), 120);  // there is a dark box behind the text
  EXPECT_EQ(Pixels(video, "trim=start_frame=0:end_frame=1" + prompt),
            Pixels(video, "trim=start_frame=1:end_frame=2" + prompt));
}

TEST_F(InferenceTest, TheSameParametersGiveTheSameFile) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc2=s=320x180:r=12:d=1"));
  parameters["controls"] = {{"edge", {{"weight", 0.5}}}, {"vis", {{"weight", 0.5}}}};
  const auto checksum = [](const std::string& file) {
    return sdk::testing::Shell("sha256sum < " + sdk::ShellQuote(file));
  };
  const std::string first = checksum(Render(parameters));
  const std::string video = Render(parameters);
  EXPECT_EQ(first, checksum(video));
  EXPECT_FALSE(Probe(video).at("format").at("tags").contains("encoder"));  // nor on another version of ffmpeg
}

TEST_F(InferenceTest, MixesTheControlsByWeight) {
  Json parameters = Parameters(Clip("in.mp4", "color=0xC8C8C8:s=160x90:r=12:d=0.5"));
  const int shot = Luma(parameters.at("input_video"), kMiddle);
  const std::string depth = Clip("depth.mp4", "color=0x323232:s=160x90:r=12:d=0.5");
  const int control = Luma(depth, kMiddle);

  for (const double weight : {0.0, 0.5, 1.0, 3.0}) {
    parameters["controls"] = {{"depth", {{"weight", weight}, {"video", depth}}}};
    EXPECT_NEAR(Luma(Render(parameters), kMiddle), (shot + weight * control) / (1 + weight), 2) << weight;
  }
  parameters["controls"] = {{"depth", {{"weight", 1}, {"video", depth}}}, {"seg", {{"weight", 2}, {"video", depth}}}};
  EXPECT_NEAR(Luma(Render(parameters), kMiddle), (shot + 3 * control) / 4.0, 2);
}

TEST_F(InferenceTest, MakesEdgeAndVisFromTheInput) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.2"));
  const std::string middle = std::string("crop=") + kMiddle;
  const std::string plain = Pixels(Render(parameters), middle);
  parameters["controls"] = {{"edge", {{"weight", 1}}}};
  const std::string video = Render(parameters);
  const std::string edge = Pixels(video, middle);
  EXPECT_EQ(ReadRecord(video).at("controls").at("edge").at("source"), "edge detection");
  parameters["controls"] = {{"vis", {{"weight", 1}}}};
  const std::string vis = Pixels(Render(parameters), middle);
  EXPECT_NE(plain, edge);
  EXPECT_NE(plain, vis);
  EXPECT_NE(edge, vis);
}

TEST_F(InferenceTest, FitsControlsOfAnotherSizeRateAndLength) {
  Json parameters = Parameters(Clip("in.mp4", "color=gray:s=160x90:r=12:d=2"));
  parameters["controls"] = {{"depth", {{"video", Clip("depth.mov", "color=black:s=64x64:r=30:d=1")}}}};
  const std::string video = Render(parameters);
  EXPECT_EQ(Size(video), "160x90");
  EXPECT_EQ(Frames(video), 12);
  EXPECT_EQ(Probe(video).at("streams").at(0).at("r_frame_rate"), "12/1");
  EXPECT_EQ(host_.progress.back().total, 12);
}

TEST_F(InferenceTest, TakesSizeRateAndLength) {
  Json parameters = Parameters(Clip("in.mkv", "testsrc=s=160x90:r=12:d=2"));
  parameters.update({{"width", 320}, {"fps", 6}, {"max_frames", 5}});
  const std::string video = Render(parameters);
  EXPECT_EQ(Size(video), "320x180");
  EXPECT_EQ(Frames(video), 5);
  EXPECT_EQ(Probe(video).at("streams").at(0).at("r_frame_rate"), "6/1");
  EXPECT_EQ(host_.progress.back().total, 5);
}

TEST_F(InferenceTest, MakesOddSizesEven) {
  sdk::testing::Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc=s=161x91:r=12:d=0.2 -c:v ffv1 " +
                      sdk::ShellQuote(Path("odd.mkv")));
  EXPECT_EQ(Size(Render(Parameters(Path("odd.mkv")))), "160x90");
}

TEST_F(InferenceTest, TakesPathsOfAnyCharacters) {
  const std::string name = "a 'b' \"c\" $(touch PWNED);[d]:,=\\ \xF0\x9F\x8C\xA7.mp4";
  Json parameters = Parameters(Clip("in " + name, "testsrc=s=160x90:r=12:d=0.2"));
  parameters["controls"] = {{"seg", {{"video", Clip("seg " + name, "testsrc=s=160x90:r=12:d=0.2")}}}};
  EXPECT_EQ(Frames(Render(parameters)), 3);
  EXPECT_FALSE(std::filesystem::exists(Path("PWNED")));
}

TEST_F(InferenceTest, DepthAndSegNeedAVideoUnlessTheyAreLeftOut) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.2"));
  for (const char* name : {"depth", "seg"}) {
    parameters["controls"] = {{name, {{"weight", 0.5}}}};
    const Result result = host_.Preview(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_FAILED);
    EXPECT_EQ(result.json.at("kind"), "invalid_input");
    EXPECT_THAT(result.text, HasSubstr(std::string("controls.") + name + ".video"));
    parameters["controls"] = {{name, {{"weight", 0}}}};
    EXPECT_EQ(host_.Preview(plugin_, parameters).status, COSMOS_OK);
  }
}

TEST_F(InferenceTest, FailsForInputsThatAreNoVideos) {
  Result result = host_.Run(plugin_, Parameters(Path("none.mp4")));
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "invalid_input");
  std::ofstream(Path("text.mp4")) << "no video";
  result = host_.Run(plugin_, Parameters(Path("text.mp4")));
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "exit_code");
}

TEST_F(InferenceTest, RefusesNulInAPrompt) {
  Json parameters = Parameters("in.mp4");
  parameters["prompt"] = std::string("a\0b", 3);
  const Result result = host_.Preview(plugin_, parameters);
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "invalid_input");
}

TEST_F(InferenceTest, ADryRunShowsWhatRunsAndExecutesNothing) {
  Json parameters = Parameters(Clip("in.mp4", "testsrc=s=160x90:r=12:d=0.2"));
  parameters["controls"] = {{"edge", {{"weight", 0.5}}}};
  const Result preview = host_.Preview(plugin_, parameters);
  EXPECT_TRUE(std::filesystem::is_empty(host_.output_folder()));
  Render(parameters);
  EXPECT_EQ(preview.json, host_.specs.at(0));
}

TEST_F(InferenceTest, ADryRunTakesExpressionsForValues) {
  const Json parameters = {
      {"model", "playblast"},
      {"prompt", "${{ stages.enhance.outputs.prompt }}"},
      {"seed", "${{ stages.a.outputs.seed }}"},
      {"input_video", "${{ stages.clips.outputs.color }}"},
      {"fps", "${{ stages.a.outputs.fps }}"},
      {"controls", {{"depth", {{"weight", "${{ stages.a.outputs.weight }}"}, {"video", "d.mp4"}}}}}};
  const Result preview = host_.Preview(plugin_, parameters);
  EXPECT_EQ(preview.status, COSMOS_OK) << preview.text;
  EXPECT_THAT(preview.json.at("script").get<std::string>(), HasSubstr("${{ stages.enhance.outputs.prompt }}"));
}

}  // namespace
}  // namespace cosmos::plugins
