// Every way in which a picture is stored gives the same picture, and the same video.

#include <gmock/gmock.h>

#include <map>

#include "core/files.h"
#include "media/pictures/picture_fixture.h"
#include "media/sequence_encoder.h"

namespace cosmos {
namespace {

class PictureFormatsTest : public PictureFixture {
 protected:
  void Store(const std::string& name, const StoredAs& way, int frame) const {
    const std::vector<float> colours = Colours(frame);
    Write(name, way.format, way.Spec(kWidth, kHeight), way.is_float() ? Light(colours) : colours);
  }

  // The frames of a video, each with red, green and blue of 0 to 1.
  std::vector<std::vector<float>> FramesOf(const std::filesystem::path& video) const {
    Ffmpeg({"-i", video, "-vf", "scale=in_color_matrix=bt709:in_range=tv:flags=bicubic+accurate_rnd+full_chroma_int",
            "-pix_fmt", "rgb24", "-f", "rawvideo", Path("frames")});
    const std::string bytes = ReadFile(Path("frames"));
    const std::size_t size = std::size_t{kWidth} * kHeight * 3;
    std::vector<std::vector<float>> frames(bytes.size() / size);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      frames[i / size].push_back(static_cast<float>(static_cast<unsigned char>(bytes[i])) / 255);
    }
    return frames;
  }
};

TEST_F(PictureFormatsTest, GiveTheSamePicture) {
  for (const StoredAs& way : AllWays()) {
    SCOPED_TRACE(way.ToString());
    const std::string name = "color." + way.extension;
    Store(name, way, 3);
    const DecodedPicture picture = Decode(name);
    EXPECT_EQ(picture.width, kWidth);
    EXPECT_EQ(picture.height, kHeight);
    EXPECT_EQ(picture.colorspace, way.is_float() ? "linear-srgb" : "srgb");
    EXPECT_GT(Psnr(LevelsOf(picture), Colours(3)), 40);
  }
}

// A sequence for each extension, with a frame for each way: what prepare makes of it is what was stored.
TEST_F(PictureFormatsTest, GiveTheSameVideo) {
  std::map<std::string, std::vector<StoredAs>> sequences;
  for (const StoredAs& way : AllWays()) sequences[way.extension].push_back(way);
  PictureSource source(cancel_);
  for (const auto& [extension, ways] : sequences) {
    ControlFrames control{"color",
                          {"color.", "." + extension, 1, {}, {}},
                          FrameSet::Range(0, static_cast<std::int64_t>(ways.size()) - 1)};
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const std::string name = "color." + std::to_string(i) + "." + extension;
      Store(name, ways[i], static_cast<int>(i));
      control.sequence.frames[static_cast<std::int64_t>(i)] = {name, 1, 1};
    }
    EncodeSequence(control, folder_, {}, Path("video.mp4"), &source, cancel_, [](std::int64_t) {});
    const auto frames = FramesOf(Path("video.mp4"));
    ASSERT_EQ(frames.size(), ways.size()) << extension;
    for (std::size_t i = 0; i < ways.size(); ++i) {
      EXPECT_GT(Psnr(frames[i], Colours(static_cast<int>(i))), 38) << ways[i].ToString();
    }
  }
}

// Half of a file is no picture, whatever its format.
TEST_F(PictureFormatsTest, AreRefusedWhenTheyAreCut) {
  for (const StoredAs& way : AllWays()) {
    SCOPED_TRACE(way.ToString());
    const std::string name = "color." + way.extension;
    Store(name, way, 0);
    const std::string whole = ReadFile(Path(name));
    for (const double part : {0.0, 0.02, 0.3, 0.6, 0.9}) {
      WriteFile(Path(name), whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
      EXPECT_NE(ProblemOf(name), "") << part;
    }
  }
}

}  // namespace
}  // namespace cosmos
