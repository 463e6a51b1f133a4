#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "prepare/prepare_log.h"
#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using sdk::testing::FakeHost;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// With a stand-in for the program, which prints its words, a line each, and does what the test says.
class PrepareTest : public ::testing::Test {
 protected:
  PrepareTest() {
    fs::create_directories(host_.folder() / "bin");
    fs::create_directories(host_.folder() / "frames");
    ::setenv("PATH", ((host_.folder() / "bin").string() + ":" + path_).c_str(), 1);
  }
  ~PrepareTest() override { ::setenv("PATH", path_.c_str(), 1); }
  void Program(const std::string& script) const {
    const fs::path program = host_.folder() / "bin/cosmos-engine";
    std::ofstream(program) << "#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n" << script;
    fs::permissions(program, fs::perms::owner_all);
  }
  std::string frames() const { return (host_.folder() / "frames").string(); }
  FakeHost::Result RunWith(json parameters = json::object()) {
    parameters["folder"] = frames();
    return host_.Run(plugin_, parameters);
  }
  // The words that the program is given, each as <word> on its line.
  std::string WordsWith(const json& parameters) {
    Program("exit 3");
    RunWith(parameters);
    return host_.job_log();
  }

  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;

 private:
  const std::string path_ = std::getenv("PATH");
};

TEST_F(PrepareTest, DescribesItself) {
  const json description = sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "prepare");
  const json& properties = description.at("parameters").at("properties");
  EXPECT_EQ(properties.at("folder").at("format"), "input-path");
  EXPECT_TRUE(properties.at("controls").at("properties").at("color").at("properties").contains("colorspace"));
  EXPECT_FALSE(properties.at("controls").at("properties").at("depth").at("properties").contains("colorspace"));
  for (const char* output : {"color", "depth", "seg", "edge", "vis", "keypoint", "hdmap", "lidar", "manifest"}) {
    EXPECT_TRUE(description.at("outputs").at("properties").contains(output)) << output;
  }
}

TEST_F(PrepareTest, GivesTheVideosThatWereMadeAndTheManifest) {
  Program("cd \"$COSMOS_OUTPUT_DIR\" && touch color.mp4 depth.mp4 manifest.json\n");
  const FakeHost::Result result = RunWith();
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  const fs::path made = host_.output_folder();
  EXPECT_EQ(result.json,
            (json{{"color", made / "color.mp4"}, {"depth", made / "depth.mp4"}, {"manifest", made / "manifest.json"}}));
  EXPECT_EQ(host_.specs.at(0).at("outputs").at("seg"),
            (json{{"path", "seg.mp4"}, {"kind", "video"}, {"optional", true}}));
  EXPECT_EQ(host_.specs.at(0).at("outputs").at("manifest").at("optional"), false);
}

TEST_F(PrepareTest, GivesTheProgramWhatWasSaid) {
  EXPECT_EQ(WordsWith(json::object()), "<prepare>\n<" + frames() + ">\n<--output=" + host_.output_folder().string() +
                                           ">\n<--progress>\n<--fps=24>\n");
}

TEST_F(PrepareTest, GivesTheProgramAllOptions) {
  const std::string words = WordsWith({{"name", "it's"},
                                       {"fps", 23.976},
                                       {"frames", "-5-20"},
                                       {"layer", "diffuse"},
                                       {"colorspace", "ACES - ACEScg"},
                                       {"depth_range", "0.1:250"},
                                       {"depth_invert", true},
                                       {"allow_gaps", "hold"},
                                       {"crop_odd", true}});
  for (const char* word : {"<--name=it's>\n", "<--fps=23.976>\n", "<--frames=-5-20>\n", "<--layer=diffuse>\n",
                           "<--colorspace=ACES - ACEScg>\n", "<--depth-range=0.1:250>\n", "<--depth-invert>\n",
                           "<--allow-gaps=hold>\n", "<--crop-odd>\n"}) {
    EXPECT_THAT(words, HasSubstr(word));
  }
}

TEST_F(PrepareTest, GivesTheProgramWhatHoldsForOneControl) {
  const std::string words = WordsWith(
      {{"fps", "24000/1001"},
       {"map", {{"depth", frames() + "/aov/../z.####.exr"}, {"edge", "/elsewhere/e.####.exr"}}},
       {"controls",
        {{"color", {{"colorspace", "raw"}, {"layer", "b"}}}, {"seg", {{"pattern", "masks/$(x) m.$F4.png"}}}}}});
  EXPECT_THAT(words, AllOf(HasSubstr("<--fps=24000/1001>\n"), HasSubstr("<--map=depth=z.####.exr>\n"),
                           HasSubstr("<--map=edge=/elsewhere/e.####.exr>\n"), HasSubstr("<--colorspace=color=raw>\n"),
                           HasSubstr("<--layer=color=b>\n"), HasSubstr("<--map=seg=masks/$(x) m.$F4.png>\n")));
}

TEST_F(PrepareTest, FramesAtFaultAreInvalidInput) {
  Program("echo 'error: color: frame 3 is missing' >&2; exit 2");
  const FakeHost::Result result = RunWith();
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "invalid_input");
  EXPECT_THAT(result.json.at("message").get<std::string>(), StartsWith("color: frame 3 is missing; "));
  EXPECT_THAT(host_.job_log(), HasSubstr(kInputAtFault));
}

TEST_F(PrepareTest, OtherFailuresMayBeTriedAgain) {
  Program("echo 'cosmos-engine: error: ffmpeg was killed' >&2; exit 3");
  const FakeHost::Result result = RunWith();
  EXPECT_EQ(result.json.at("kind"), "exit_code");
  EXPECT_THAT(result.json.at("message").get<std::string>(), StartsWith("ffmpeg was killed; "));
  EXPECT_THAT(host_.job_log(), Not(HasSubstr(kInputAtFault)));
}

TEST_F(PrepareTest, AMachineWithoutTheProgramSaysWhatToDo) {
  fs::create_symlink("/usr/bin/env", host_.folder() / "bin/env");  // which the fake host starts jobs with
  ::setenv("PATH", (host_.folder() / "bin").c_str(), 1);
  const FakeHost::Result result = RunWith();
  EXPECT_EQ(result.json.at("kind"), "exit_code");
  EXPECT_THAT(result.json.at("message").get<std::string>(),
              AllOf(StartsWith("there is no cosmos-engine in the PATH"), HasSubstr("install it there")));
}

TEST_F(PrepareTest, ReportsProgress) {
  Program("echo 'color: encoding, 5 of 6 frames' >&2; touch \"$COSMOS_OUTPUT_DIR/manifest.json\"");
  ASSERT_EQ(RunWith().status, COSMOS_OK);
  ASSERT_FALSE(host_.progress.empty());
  EXPECT_EQ(host_.progress.back().done, 5);
  EXPECT_EQ(host_.progress.back().phase, "encoding color");
}

TEST_F(PrepareTest, ADryRunShowsWhatRuns) {
  const FakeHost::Result preview = host_.Preview(plugin_, {{"folder", frames()}});
  ASSERT_EQ(preview.status, COSMOS_OK) << preview.text;
  EXPECT_THAT(preview.json.at("script").get<std::string>(), HasSubstr("program='cosmos-engine'\n"));
  EXPECT_EQ(host_
                .Preview(plugin_, {{"folder", "${{ stages.a.outputs.frames }}"},
                                   {"map", "${{ stages.a.outputs.map }}"},
                                   {"controls", {{"color", "${{ stages.a.outputs.color }}"}}},
                                   {"frames", "${{ params.frames }}"}})
                .status,
            COSMOS_OK);
}

}  // namespace
}  // namespace cosmos::plugins
