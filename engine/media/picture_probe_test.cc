#include "media/picture_probe.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "media/exr_fixture.h"
#include "media/sequence_encoder.h"
#include "media/shot_fixture.h"

namespace cosmos {
namespace {

class PictureProbeTest : public ShotFixture {
 protected:
  ProbedControl Probe() {
    const ControlFrames control = Control();
    return ProbePictures(control, folder_, ChoiceOf(control, {}), &source_, [](std::int64_t) {});
  }
  // Cuts a file to a part of its length.
  void Cut(const std::string& name, double part) const {
    const std::string bytes = ReadFile(Path(name));
    WriteFile(Path(name), bytes.substr(0, static_cast<std::size_t>(static_cast<double>(bytes.size()) * part)));
  }
};

TEST_F(PictureProbeTest, KnowsTheSizeOfEachPictureInEveryFormat) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> formats = {
      {"png", {}}, {"jpg", {}}, {"jpeg", {}}, {"exr", {"-c:v", "exr"}},     {"tif", {}}, {"tiff", {}},
      {"tga", {}}, {"dpx", {}}, {"bmp", {}},  {"webp", {"-c:v", "libwebp"}}};
  for (auto [extension, words] : formats) {
    words.insert(words.end(), {"-f", "image2"});
    Make("color.%04d." + extension,
         "testsrc2=s=64x48:r=3:d=1,format=" + std::string(extension == "exr" ? "gbrpf32le" : "rgb24"), words);
    const ProbedControl probed = Probe();
    ASSERT_EQ(probed.pictures.size(), 3u) << extension;
    for (const auto& [number, picture] : probed.pictures) {
      EXPECT_EQ(picture.problem, "") << extension << number;
      EXPECT_EQ(picture.width, 64) << extension << number;
      EXPECT_EQ(picture.height, 48) << extension << number;
    }
    EXPECT_FALSE(probed.depth);
    for (int i = 1; i <= 3; ++i) std::filesystem::remove(Path("color.000" + std::to_string(i) + "." + extension));
  }
}

TEST_F(PictureProbeTest, FindsWhichPictureIsDamagedOrOfAnotherSize) {
  for (const std::string extension : {"png", "jpg", "exr", "tif", "tga", "dpx", "bmp"}) {
    const std::string format = extension == "exr" ? ",format=gbrpf32le" : "";
    Make("color.%04d." + extension, "testsrc2=s=320x240:r=4:d=1" + format, {"-f", "image2"});
    Make("color.0004." + extension, "testsrc2=s=64x48" + format, {"-f", "image2", "-frames:v", "1", "-update", "1"});
    Cut("color.0002." + extension, 0.6);
    const ProbedControl probed = Probe();
    ASSERT_EQ(probed.pictures.size(), 4u) << extension;
    EXPECT_EQ(probed.pictures.at(1).problem, "") << extension;
    EXPECT_NE(probed.pictures.at(2).problem, "") << extension;
    EXPECT_EQ(probed.pictures.at(3).width, 320) << extension;
    EXPECT_EQ(probed.pictures.at(4).width, 64) << extension;
    for (int i = 1; i <= 4; ++i) std::filesystem::remove(Path("color.000" + std::to_string(i) + "." + extension));
  }
}

TEST_F(PictureProbeTest, AnEmptyFileDoesNotHideThoseBehindIt) {
  Make("color.%04d.png", "testsrc2=s=64x48:r=3:d=1");
  WriteFile(Path("color.0001.png"), "");
  const ProbedControl probed = Probe();
  EXPECT_EQ(probed.pictures.size(), 2u);
  EXPECT_EQ(probed.pictures.at(3).width, 64);
}

TEST_F(PictureProbeTest, TheRangeOfDepthIsThatOfAllFrames) {
  WriteExr(Path("depth.0001.exr"), 2, 1, {{"Z", {3, INFINITY}}});
  WriteExr(Path("depth.0002.exr"), 2, 1, {{"Z", {1.5F, 0}}});
  WriteExr(Path("depth.0003.exr"), 2, 1, {{"Z", {250, 1e10F}}});
  EXPECT_EQ(Probe().depth, (DepthRange{1.5, 250}));
  EXPECT_TRUE(Probe().distances);
}

TEST_F(PictureProbeTest, DepthWithoutASurfaceHasNoRange) {
  WriteExr(Path("depth.0001.exr"), 2, 1, {{"Z", {INFINITY, INFINITY}}});
  EXPECT_FALSE(Probe().depth);
}

TEST_F(PictureProbeTest, StopsWhenCancelled) {
  Make("color.%04d.png", "testsrc2=s=64x48:r=3:d=1");
  cancel_.Cancel();
  EXPECT_THROW(Probe(), Error);
}

}  // namespace
}  // namespace cosmos
