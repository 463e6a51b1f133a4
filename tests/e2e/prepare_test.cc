#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PrepareTest : public ::testing::Test {
 protected:
  void Ffmpeg(std::vector<std::string> words) const {
    words.insert(words.begin(), {"ffmpeg", "-nostdin", "-v", "error", "-y"});
    const Ended ended = sandbox_.Run(words);
    ASSERT_EQ(ended.status, 0) << ended.err;
  }
  // Frames of one of ffmpeg's sources, such as "testsrc2=s=64x48:r=6:d=1", from number 1001 on.
  void Render(const std::string& pattern, const std::string& source, const std::vector<std::string>& more = {}) const {
    fs::create_directories((sandbox_.folder() / pattern).parent_path());
    std::vector<std::string> words = {"-f", "lavfi", "-i", source, "-start_number", "1001"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back("file:" + pattern);
    Ffmpeg(words);
  }
  // Six frames each: a colour pass of a known grey, segmentation in a folder, and depth that grows from left to right
  // and has no surface in its right half.
  void RenderShot() const {
    Render("city/city_beauty_v003.%04d.png", "color=0x808080:s=64x48:r=6:d=1", {"-pix_fmt", "rgb24"});
    Render("city/seg/frame_%04d.png", "testsrc=s=64x48:r=6:d=1");
    Render("city/depth.%04d.exr",
           "color=black:s=64x48:r=6:d=1,format=grayf32le,geq=lum='if(lt(X,32),0.5+X*2,10000000000)'", {"-c:v", "exr"});
  }

  // Luma of the first frame at a place, 16 (black) to 235 (white).
  int Luma(const std::string& video, int x, int y) const {
    Ffmpeg({"-i", video, "-frames:v", "1", "-vf",
            "extractplanes=y,crop=1:1:" + std::to_string(x) + ":" + std::to_string(y), "-f", "rawvideo", "luma"});
    return static_cast<unsigned char>(sandbox_.Read("luma").at(0));
  }
  std::string Facts(const std::string& video) const {
    return sandbox_
        .Run({"ffprobe", "-v", "error", "-count_frames", "-show_entries",
              "stream=codec_name,width,height,pix_fmt,r_frame_rate,nb_read_frames", "-of", "csv=p=0", "file:" + video})
        .out;
  }
  std::vector<std::string> FilesIn(const std::string& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(sandbox_.folder() / folder))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  void Remove(const std::string& name) const { ASSERT_TRUE(fs::remove(sandbox_.folder() / name)) << name; }
  // The states of the controls, after a run with --format json.
  std::vector<std::string> States(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"prepare", "city", "--output", "made"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<std::string> states;
    const json prepared = sandbox_.EngineJson(words);
    for (const json& video : prepared["videos"]) {
      states.push_back(video["control"].get<std::string>() + " " + video["state"].get<std::string>());
    }
    return states;
  }

  Sandbox sandbox_;
};

TEST_F(PrepareTest, MakesAShotAndTheLinesForAWorkflow) {
  RenderShot();
  const Ended ended = sandbox_.Engine({"prepare", "city/", "--fps", "23.976"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, HasSubstr("\ninput_video: city/city/color.mp4\n"
                                   "controls:\n"
                                   "  seg: {video: city/city/seg.mp4}\n"
                                   "  depth: {video: city/city/depth.mp4}\n"));
  EXPECT_THAT(FilesIn("city/city"), ElementsAre("color.mp4", "depth.mp4", "manifest.json", "seg.mp4"));
  for (const std::string control : {"color", "seg", "depth"}) {
    EXPECT_EQ(Facts("city/city/" + control + ".mp4"), "h264,64,48,yuv420p,24000/1001,6\n") << control;
  }
  EXPECT_NEAR(Luma("city/city/color.mp4", 20, 20), 16 + 128 * 219 / 255, 1);
  const int near = Luma("city/city/depth.mp4", 1, 20), far = Luma("city/city/depth.mp4", 28, 20);
  EXPECT_GT(near, 220);
  EXPECT_GT(near, far + 100);
  EXPECT_EQ(Luma("city/city/depth.mp4", 50, 20), 16);  // no surface: black, and of no weight for the range

  const json manifest = json::parse(sandbox_.Read("city/city/manifest.json"));
  const json& depth = manifest["controls"]["depth"];
  EXPECT_EQ(depth["source"], "depth.####.exr");
  EXPECT_EQ(depth["first_frame"], 1001);
  EXPECT_EQ(depth["last_frame"], 1006);
  EXPECT_EQ(depth["depth_range"], (json{{"near", 0.5}, {"far", 62.5}}));
  EXPECT_THAT(sandbox_.Run({"sha256sum", "city/city/depth.mp4"}).out, HasSubstr(depth["sha256"].get<std::string>()));
}

TEST_F(PrepareTest, TheLinesAreTakenByAWorkflow) {
  RenderShot();
  const Ended ended = sandbox_.Engine({"prepare", "city", "--output", "my shots/city"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  std::string indented = "      model: playblast\n      prompt: a city\n";
  std::istringstream lines(ended.out.substr(ended.out.find("input_video:")));
  for (std::string line; std::getline(lines, line);) indented += "      " + line + "\n";
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages:\n  render:\n    uses: inference\n    with:\n" + indented);
  const Ended valid = sandbox_.Engine({"validate", "w.yaml"});
  EXPECT_EQ(valid.status, 0) << valid.err << indented;
}

TEST_F(PrepareTest, RunAgainItMakesOnlyWhatChanged) {
  RenderShot();
  EXPECT_THAT(States(), ElementsAre("color made", "seg made", "depth made"));
  const std::string before = sandbox_.Read("made/manifest.json");
  EXPECT_THAT(States(), ElementsAre("color unchanged", "seg unchanged", "depth unchanged"));
  EXPECT_EQ(sandbox_.Read("made/manifest.json"), before);
  Render("city/seg/frame_%04d.png", "testsrc=s=64x48:r=6:d=1,negate");
  EXPECT_THAT(States({"--depth-range", "1:100"}), ElementsAre("color unchanged", "seg made", "depth made"));
  EXPECT_THAT(sandbox_.Engine({"prepare", "city", "--output", "made", "--depth-range", "1:100"}).out,
              AllOf(HasSubstr("unchanged, depth 1 to 100"), Not(HasSubstr("made,"))));
}

TEST_F(PrepareTest, TellsEverythingAtOnceAndWritesNothing) {
  RenderShot();
  Remove("city/seg/frame_1003.png");
  Remove("city/depth.1006.exr");
  Render("city/normal.%04d.exr", "color=s=64x48:r=6:d=1,format=gbrpf32le", {"-c:v", "exr"});
  sandbox_.Write("city/city_beauty_v003.1002.png", "this is no picture");
  sandbox_.Write("city/city_beauty_v003.1004.png", "");
  sandbox_.Write("city/notes.jpg", "x");
  const Ended ended = sandbox_.Engine({"prepare", "city"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  for (const char* text :
       {"warning: normal.####.exr (1001-1006) is of no control and left out",
        "warning: pictures without a frame number are left out: notes.jpg",
        "error: color: frame 1004 is empty (0 bytes) in city_beauty_v003.####.png",
        "error: color: frame 1002 is unreadable: ",
        "error: seg: frame 1003 is missing in seg/frame_####.png (1001-1006)",
        "error: the controls have different frames: color 1001-1006 (6 frames), seg 1001-1006 (6 frames), depth "
        "1001-1005 (5 frames); render what is missing, or take what all have: --frames 1001-1005",
        "4 problems found; nothing was written"}) {
    EXPECT_THAT(ended.err, HasSubstr(text));
  }
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "city/city"));

  const Ended as_json = sandbox_.Engine({"prepare", "city", "--format", "json"});
  EXPECT_EQ(as_json.status, 2);
  const json found = json::parse(as_json.out);
  EXPECT_EQ(found["ok"], false);
  EXPECT_EQ(found["findings"].size(), 6u);
}

TEST_F(PrepareTest, ADryRunWritesNothing) {
  RenderShot();
  const Ended ended = sandbox_.Engine({"prepare", "city", "--dry-run"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("to be made, depth 0.5 to 62.5, near is white"));
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "city/city"));
}

TEST_F(PrepareTest, GapsCanBeHeld) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  Remove("city/color.1003.png");
  EXPECT_EQ(sandbox_.Engine({"prepare", "city"}).status, 2);
  const Ended held = sandbox_.Engine({"prepare", "city", "--allow-gaps", "hold"});
  EXPECT_EQ(held.status, 0);
  EXPECT_THAT(held.err, HasSubstr("warning: color: frame 1003 is missing: the one before is repeated"));
  EXPECT_THAT(Facts("city/city/color.mp4"), HasSubstr(",6\n"));
  const json manifest = json::parse(sandbox_.Read("city/city/manifest.json"));
  EXPECT_EQ(manifest["controls"]["color"]["held_frames"], json::parse("[[1003, 1003]]"));
  EXPECT_EQ(manifest["warnings"].size(), 1u);
}

TEST_F(PrepareTest, SizesMustBeEqualAndEven) {
  Render("city/color.%04d.png", "testsrc=s=65x49:r=6:d=1");
  Render("city/edge.%04d.jpg", "testsrc2=s=64x48:r=6:d=1");
  EXPECT_THAT(sandbox_.Engine({"prepare", "city"}).err,
              AllOf(HasSubstr("the controls have different sizes: edge 64x48; color 65x49"),
                    HasSubstr("color: the size 65x49 is odd"), HasSubstr("--crop-odd")));
  for (int frame = 1001; frame <= 1006; ++frame) Remove("city/edge." + std::to_string(frame) + ".jpg");
  EXPECT_EQ(sandbox_.Engine({"prepare", "city", "--crop-odd"}).status, 0);
  EXPECT_THAT(Facts("city/city/color.mp4"), HasSubstr("h264,64,48,"));
}

TEST_F(PrepareTest, OddNamesAreNames) {
  const std::string folder = "it's 100% \"new\": a/";
  Render("plain/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  fs::create_directories(sandbox_.folder() / folder);
  for (int frame = 1001; frame <= 1006; ++frame) {
    const std::string number = std::to_string(frame);
    fs::rename(sandbox_.folder() / ("plain/color." + number + ".png"),
               sandbox_.folder() / (folder + "%d $(x) color: '" + number + ".png"));
  }
  const Ended ended = sandbox_.Engine({"prepare", folder, "--output", "a: b/%04d"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("input_video: \"a: b/%04d/color.mp4\"\n"));
  EXPECT_THAT(FilesIn("a: b/%04d"), ElementsAre("color.mp4", "manifest.json"));
  EXPECT_THAT(Facts("a: b/%04d/color.mp4"), HasSubstr(",6\n"));
}

TEST_F(PrepareTest, ASequenceCanBeSaidToBeAControl) {
  Render("city/objects.%d.tif", "testsrc=s=64x48:r=6:d=1");
  Render("city/old/depth_%04d.png", "testsrc=s=64x48:r=6:d=1");
  Render("city/new/depth_%04d.png", "testsrc=s=64x48:r=6:d=1");
  const Ended ended = sandbox_.Engine({"prepare", "city"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("depth: found 2 sequences: new/depth_####.png (1001-1006), old/depth_####.png "
                                   "(1001-1006); say which one: --map depth='new/depth_####.png'"));
  EXPECT_THAT(States({"--map", "depth=old/depth_$F4.png", "--map", "seg=objects.%d.tif"}),
              ElementsAre("seg made", "depth made"));
  const std::string absolute = sandbox_.folder() / "city/new/depth_$F4.png";
  EXPECT_THAT(States({"--map", "depth=" + absolute, "--map", "seg=objects.%d.tif"}),
              ElementsAre("seg unchanged", "depth made"));
}

TEST_F(PrepareTest, BadInputIsRefused) {
  RenderShot();
  const std::vector<std::vector<std::string>> cases = {{"--fps", "0"},
                                                       {"--frames", "9-1"},
                                                       {"--allow-gaps", "skip"},
                                                       {"--depth-range", "5"},
                                                       {"--map", "depth"},
                                                       {"--map", "dept=depth.####.exr"},
                                                       {"--map", "depth=depth.exr"},
                                                       {"--map", "depth=/elsewhere/depth.####.exr"},
                                                       {"--map", "depth=d.####.exr"},
                                                       {"--layer", "dept=Z"},
                                                       {"--layer", "depth="},
                                                       {"--colorspace", "depth=raw"},
                                                       {"--name", "../x"}};
  for (std::vector<std::string> words : cases) {
    words.insert(words.begin(), {"prepare", "city"});
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 2) << words[2] << " " << words[3] << ": " << ended.err;
    EXPECT_EQ(ended.out, "");
  }
  EXPECT_EQ(sandbox_.Engine({"prepare", "nowhere"}).status, 2);
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "city/city"));
}

TEST_F(PrepareTest, ColourSpacesAndLayersAreSaid) {
  Render("city/color.%04d.exr", "color=black:s=64x48:r=6:d=1,format=gbrpf32le,geq=r=0.18:g=0.18:b=0.18",
         {"-c:v", "exr"});
  Render("city/seg.%04d.png", "testsrc=s=64x48:r=6:d=1");
  EXPECT_THAT(States(), ElementsAre("color made", "seg made"));
  EXPECT_NEAR(Luma("made/color.mp4", 20, 20), 16 + 118 * 219 / 255, 1);  // what sRGB makes of 0.18
  EXPECT_THAT(States({"--colorspace", "color=raw"}), ElementsAre("color made", "seg unchanged"));
  EXPECT_NEAR(Luma("made/color.mp4", 20, 20), 16 + 46 * 219 / 255, 1);
  const json controls = json::parse(sandbox_.Read("made/manifest.json"))["controls"];
  EXPECT_EQ(controls["color"]["colorspace"], "raw");
  EXPECT_EQ(controls["color"]["layer"], nullptr);
  EXPECT_EQ(controls["seg"]["colorspace"], "srgb");

  const Ended no_space = sandbox_.Engine({"prepare", "city", "--colorspace", "rec2020"});
  EXPECT_EQ(no_space.status, 2);
  EXPECT_THAT(no_space.err, AllOf(HasSubstr("there is no colour space 'rec2020'"), HasSubstr("acescg")));
  const Ended no_layer = sandbox_.Engine({"prepare", "city", "--layer", "diffuse"});
  EXPECT_EQ(no_layer.status, 2);
  EXPECT_THAT(no_layer.err,
              HasSubstr("color: frames 1001-1006 are unreadable: it has no layer 'diffuse'; found only the "
                        "channels R, G, B; leave out --layer"));
}

TEST_F(PrepareTest, WithoutFfmpegItSaysSo) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  sandbox_.SetEnvironment("PATH=/nonexistent");
  const Ended ended = sandbox_.Engine({"prepare", "city"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("there is no ffmpeg on this machine"), HasSubstr("install ffmpeg")));
}

TEST_F(PrepareTest, StoppedItLeavesNoHalfFile) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  // An encoder that begins its file, which is its last word, and never ends.
  sandbox_.Write("bin/ffmpeg", "#!/bin/sh\nfor file; do :; done\necho half >\"${file#file:}\"\nexec sleep 1000\n");
  fs::permissions(sandbox_.folder() / "bin/ffmpeg", fs::perms::owner_all);
  sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  const pid_t engine = sandbox_.StartEngine({"prepare", "city", "--output", "made"});
  Await("video being made", [&] { return sandbox_.Read("made/.color.mp4.part") == "half\n"; });
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_THAT(sandbox_.Read("engine.out"), HasSubstr("stopping; what is whole stays"));
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "made"));
}

}  // namespace
}  // namespace cosmos::testing
