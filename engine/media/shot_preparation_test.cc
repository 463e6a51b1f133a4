#include "media/shot_preparation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "media/exr_fixture.h"
#include "media/media_fixture.h"
#include "media/video_probe.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ShotPreparationTest : public MediaFixture {
 protected:
  ShotPreparationTest() {
    order_.folder = Path("shot");
    order_.output = Path("made");
    order_.name = "city";
  }

  void MakeColor() const { Make("shot/color.%04d.png", "testsrc2=s=64x48:r=4:d=1"); }
  void MakeDepth(float near = 2, float far = 10) const {
    for (int i = 1; i <= 4; ++i) {
      std::vector<float> pixels(64 * 48, far);
      std::fill_n(pixels.begin(), 64, near);
      WriteExr(Path("shot/depth.000" + std::to_string(i) + ".exr"), 64, 48, {{"Z", pixels}});
    }
  }
  ShotPreparation Look() const {
    ShotPreparation preparation(order_);
    preparation.Look(cancel_, [](auto&&...) {});
    return preparation;
  }
  // Looks and makes; `control state` each.
  std::vector<std::string> Prepare() const {
    ShotPreparation preparation = Look();
    EXPECT_FALSE(HasErrors(preparation.findings())) << Texts(preparation.findings());
    preparation.Make(cancel_, [](auto&&...) {});
    std::vector<std::string> states;
    for (const PreparedControl& control : preparation.controls()) {
      states.push_back(control.frames.control + (control.state == VideoState::kMade ? " made" : " unchanged"));
    }
    return states;
  }
  static std::string Texts(const ShotFindings& findings) {
    std::string texts;
    for (const ShotFinding& finding : findings) texts += (finding.error ? "E " : "W ") + ToText(finding) + "\n";
    return texts;
  }
  Json RecordOf() const { return Json::parse(ReadFile(Path("made/manifest.json"))); }
  std::vector<std::string> FilesLeft() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(Path("made"))) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  PrepareOrder order_;
};

TEST_F(ShotPreparationTest, MakesVideosAndTheirManifest) {
  MakeColor();
  MakeDepth();
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth made"));
  EXPECT_THAT(FilesLeft(), ElementsAre("color.mp4", "depth.mp4", "manifest.json"));
  EXPECT_EQ(ProbeVideo(Path("made/depth.mp4"), cancel_).frames, 4);
  const Json record = RecordOf();
  EXPECT_EQ(record["name"], "city");
  EXPECT_EQ(record["complete"], true);
  const Json& depth = record["controls"]["depth"];
  EXPECT_EQ(depth["source"], "depth.####.exr");
  EXPECT_EQ(depth["frames"], 4);
  EXPECT_EQ(depth["width"], 64);
  EXPECT_EQ(depth["depth_range"], (Json{{"near", 2}, {"far", 10}}));
  EXPECT_EQ(depth["size"], fs::file_size(Path("made/depth.mp4")));
  EXPECT_EQ(record["controls"]["color"]["depth_range"], nullptr);
}

TEST_F(ShotPreparationTest, OnlyWhatChangedIsMadeAgain) {
  MakeColor();
  MakeDepth();
  Prepare();
  const auto time = fs::last_write_time(Path("made/manifest.json"));
  EXPECT_THAT(Prepare(), ElementsAre("color unchanged", "depth unchanged"));
  EXPECT_EQ(fs::last_write_time(Path("made/manifest.json")), time);

  MakeDepth(1, 20);
  EXPECT_THAT(Prepare(), ElementsAre("color unchanged", "depth made"));
  EXPECT_EQ(RecordOf()["controls"]["depth"]["depth_range"]["far"], 20);
  order_.video.invert_depth = true;
  EXPECT_THAT(Prepare(), ElementsAre("color unchanged", "depth made"));
  WriteFile(Path("made/color.mp4"), "somebody else's");
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth unchanged"));
  WriteFile(Path("made/manifest.json"), "broken");
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth made"));
  order_.video.rate = {25, 1};
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth made"));
}

TEST_F(ShotPreparationTest, AnUnchangedVideoIsStillComparedWithTheOthers) {
  MakeColor();
  Prepare();
  for (int i = 1; i <= 4; ++i) {
    WriteExr(Path("shot/depth.000" + std::to_string(i) + ".exr"), 32, 24, {{"Z", std::vector<float>(32 * 24, 1)}});
  }
  EXPECT_THAT(Texts(Look().findings()), HasSubstr("the controls have different sizes: depth 32x24; color 64x48"));
}

TEST_F(ShotPreparationTest, OneSequenceOfManyChannelsCanBeSeveralControls) {
  const std::vector<float> grey(64 * 48, 0.5F), depth(64 * 48, 7);
  WriteExr(Path("shot/render.0001.exr"), 64, 48, {{"R", grey}, {"G", grey}, {"B", grey}, {"depth.Z", depth}});
  order_.frames.patterns = {{"color", "render.####.exr"}, {"depth", "render.####.exr"}};
  order_.video.depth = DepthRange{1, 10};
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth made"));
}

TEST_F(ShotPreparationTest, LayersAndColourSpacesAreOfControls) {
  const std::vector<float> grey(64 * 48, 0.5F), depth(64 * 48, 7), far(64 * 48, 70);
  WriteExr(Path("shot/render.0001.exr"), 64, 48,
           {{"R", grey},
            {"G", grey},
            {"B", grey},
            {"AO.R", grey},
            {"AO.G", grey},
            {"AO.B", grey},
            {"Z", depth},
            {"far.Z", far}});
  order_.frames.patterns = {{"color", "render.####.exr"}, {"depth", "render.####.exr"}};
  order_.video.depth = DepthRange{1, 100};
  Prepare();
  EXPECT_EQ(RecordOf()["controls"]["color"]["colorspace"], "linear-srgb");
  EXPECT_EQ(RecordOf()["controls"]["depth"]["colorspace"], nullptr);
  order_.layer.all = "AO";  // not of depth
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth unchanged"));
  EXPECT_EQ(RecordOf()["controls"]["color"]["layer"], "AO");
  order_.layer.of["depth"] = "far";
  EXPECT_THAT(Prepare(), ElementsAre("color unchanged", "depth made"));
  order_.colorspace.all = "acescg";
  EXPECT_THAT(Prepare(), ElementsAre("color made", "depth unchanged"));
  EXPECT_EQ(RecordOf()["controls"]["color"]["colorspace"], "acescg");
  order_.colorspace.of["color"] = "acescgg";
  EXPECT_THROW(Look(), Error);
}

TEST_F(ShotPreparationTest, LookingWritesNothing) {
  MakeColor();
  EXPECT_THAT(Look().controls().size(), 1u);
  EXPECT_FALSE(fs::exists(Path("made")));
}

TEST_F(ShotPreparationTest, AllProblemsOfNamesAndPicturesAreFoundAtOnce) {
  MakeColor();
  MakeDepth();
  WriteFile(Path("shot/color.0002.png"), "no picture");
  fs::remove(Path("shot/depth.0003.exr"));
  const std::string texts = Texts(Look().findings());
  EXPECT_THAT(texts, HasSubstr("E color: frame 2 is unreadable: found no picture in it"));
  EXPECT_THAT(texts, HasSubstr("E depth: frame 3 is missing"));
}

TEST_F(ShotPreparationTest, DepthWithoutASurfaceOrWithoutARangeIsTold) {
  MakeDepth(INFINITY, 0);
  EXPECT_THAT(Texts(Look().findings()), HasSubstr("E depth: found no surface in any frame"));
  MakeDepth(3, 3);
  EXPECT_THAT(Texts(Look().findings()), HasSubstr("W depth: all depths are 3"));
  order_.video.depth = DepthRange{1, 4};
  EXPECT_EQ(Texts(Look().findings()), "");
  fs::remove_all(Path("shot"));
  Make("shot/depth.%04d.png", "testsrc2=s=64x48:r=4:d=1");
  EXPECT_THAT(Texts(Look().findings()), HasSubstr("W depth: its pictures are grey levels already"));
}

TEST_F(ShotPreparationTest, AVideoWithoutFramesAnyMoreIsTold) {
  MakeColor();
  MakeDepth();
  Prepare();
  for (int i = 1; i <= 4; ++i) fs::remove(Path("shot/depth.000" + std::to_string(i) + ".exr"));
  EXPECT_THAT(Texts(Look().findings()), HasSubstr("depth.mp4' of an earlier time stays"));
  Prepare();
  EXPECT_FALSE(RecordOf()["controls"].contains("depth"));
}

TEST_F(ShotPreparationTest, CancelledKeepsWhatIsWhole) {
  MakeColor();
  MakeDepth();
  ShotPreparation preparation = Look();
  EXPECT_THROW(preparation.Make(cancel_,
                                [&](const std::string& control, auto&&...) {
                                  if (control == "depth") cancel_.Cancel();
                                }),
               Error);
  EXPECT_THAT(FilesLeft(), ElementsAre("color.mp4", "manifest.json"));
  EXPECT_EQ(RecordOf()["complete"], false);
  EXPECT_EQ(RecordOf()["controls"].size(), 1u);
}

TEST_F(ShotPreparationTest, CancelledAtOnceLeavesNoFolder) {
  MakeColor();
  ShotPreparation preparation = Look();
  cancel_.Cancel();
  EXPECT_THROW(preparation.Make(cancel_, [](auto&&...) {}), Error);
  EXPECT_FALSE(fs::exists(Path("made")));
}

}  // namespace
}  // namespace cosmos
