#include "media/sequence_encoder.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"
#include "media/exr_fixture.h"
#include "media/shot_fixture.h"
#include "media/video_check.h"
#include "media/video_probe.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

class SequenceEncoderTest : public ShotFixture {
 protected:
  void Encode() {
    MakeFolders(Path("out"));
    EncodeSequence(Control(), folder_, settings_, Path("out/video.mp4"), &source_, cancel_,
                   [&](std::int64_t done) { done_ = done; });
  }
  VideoFacts Facts() const { return ProbeVideo(Path("out/video.mp4"), cancel_); }

  // One byte of each frame's plane: of luma at a place, 16 (black) to 235 (white).
  std::vector<int> Luma(int x, int y, const std::string& plane = "y") const {
    Ffmpeg({"-i", Path("out/video.mp4"), "-vf",
            "extractplanes=" + plane + ",crop=1:1:" + std::to_string(x) + ":" + std::to_string(y), "-f", "rawvideo",
            Path("out/luma")});
    std::vector<int> values;
    for (const char byte : ReadFile(Path("out/luma"))) values.push_back(static_cast<unsigned char>(byte));
    return values;
  }
  std::vector<std::string> FilesLeft() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(Path("out"))) names.push_back(entry.path().filename());
    return names;
  }

  VideoSettings settings_;
  std::int64_t done_ = 0;
};

// What a grey of 0 to 255 is as luma.
int LumaOf(double grey) { return static_cast<int>(std::lround(16 + grey * 219 / 255)); }

TEST_F(SequenceEncoderTest, MakesAVideoAsPlayersAndModelsTakeIt) {
  Make("color.%04d.png", "testsrc2=s=64x48:r=12:d=1", {"-start_number", "1001"});
  settings_.rate = {24000, 1001};
  Encode();
  const VideoFacts facts = Facts();
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.height, 48);
  EXPECT_EQ(facts.rate, settings_.rate);
  EXPECT_EQ(facts.frames, 12);
  EXPECT_EQ(facts.codec, "h264");
  EXPECT_EQ(facts.pixel_format, "yuv420p");
  EXPECT_TRUE(CheckVideo(Path("out/video.mp4"), cancel_).sound());
  EXPECT_EQ(done_, 12);
  EXPECT_THAT(FilesLeft(), ElementsAre("video.mp4"));
}

TEST_F(SequenceEncoderTest, TheSameFramesGiveTheSameBytes) {
  Make("color.%04d.png", "testsrc2=s=64x48:r=12:d=1");
  Encode();
  const std::string first = Sha256OfFile(Path("out/video.mp4"));
  Encode();
  EXPECT_EQ(Sha256OfFile(Path("out/video.mp4")), first);
}

TEST_F(SequenceEncoderTest, FramesComeInOrderAndHeldOnesTwice) {
  for (const int grey : {1, 2, 4}) {
    Make("color." + std::to_string(grey) + ".png",
         "color=0x" + std::string(6, static_cast<char>('0' + grey)) + ":s=32x32", {"-frames:v", "1"});
  }
  options_.hold_gaps = true;
  Encode();
  const auto about = [](int grey) { return ::testing::AllOf(Ge(LumaOf(grey) - 1), Le(LumaOf(grey) + 1)); };
  EXPECT_THAT(Luma(5, 5), ElementsAre(about(0x11), about(0x22), about(0x22), about(0x44)));
}

TEST_F(SequenceEncoderTest, LinearColoursBecomeWhatAViewerShows) {
  Make("color.%04d.exr", "color=black:s=32x32:r=2:d=1,format=gbrpf32le,geq=r=0.2140:g=0.2140:b='if(lt(X,16),0.2140,8)'",
       {"-c:v", "exr"});
  Encode();
  EXPECT_NEAR(Luma(5, 5)[0], LumaOf(127.5), 1);  // sRGB: 0.214 of the light looks like half
  EXPECT_GT(Luma(25, 5, "u")[0], 150);
}

TEST_F(SequenceEncoderTest, AGreyExrIsAPictureToo) {
  Make("color.%04d.exr", "color=black:s=32x32:r=2:d=1,format=grayf32le,geq=lum='if(lt(X,16),0.2140,8)'",
       {"-c:v", "exr"});
  Encode();
  EXPECT_NEAR(Luma(5, 5)[0], LumaOf(127.5), 1);
  EXPECT_EQ(Luma(25, 5)[0], 235);
}

TEST_F(SequenceEncoderTest, NearIsWhiteAndNothingIsBlack) {
  const auto quarters = [](float a, float b, float c, float d) {
    std::vector<float> pixels;
    for (int y = 0; y < 16; ++y) {
      for (const float depth : {a, b, c, d}) pixels.insert(pixels.end(), 16, depth);
    }
    return pixels;
  };
  WriteExr(Path("depth.0001.exr"), 64, 16, {{"Z", quarters(10, 55, 100, INFINITY)}});
  WriteExr(Path("depth.0002.exr"), 64, 16, {{"Z", quarters(1000, 10, 10, 1e10F)}});
  settings_.depth = DepthRange{10, 100};
  Encode();
  EXPECT_THAT(Luma(8, 8), ElementsAre(235, 16));
  EXPECT_NEAR(Luma(24, 8)[0], LumaOf(127.5), 1);
  EXPECT_THAT(Luma(40, 8), ElementsAre(16, 235));
  EXPECT_THAT(Luma(56, 8), ElementsAre(16, 16));
  settings_.invert_depth = true;
  Encode();
  EXPECT_THAT(Luma(8, 8), ElementsAre(16, 235));
  EXPECT_THAT(Luma(56, 8), ElementsAre(16, 16));
}

TEST_F(SequenceEncoderTest, DepthThatIsAPictureStaysAsItIs) {
  Make("depth.%04d.png", "color=0x404040:s=32x32:r=2:d=1", {"-pix_fmt", "gray16be"});
  Encode();
  EXPECT_NEAR(Luma(5, 5)[0], LumaOf(0x40), 1);
  settings_.invert_depth = true;
  Encode();
  EXPECT_NEAR(Luma(5, 5)[0], LumaOf(255 - 0x40), 1);
}

TEST_F(SequenceEncoderTest, SegmentationHasNoColoursOfItsOwn) {
  Make("seg.%04d.png", "color=red:s=64x64:r=1:d=1,format=rgb24,geq=r='if(lt(X,33),255,0)':g=0:b='if(lt(X,33),0,255)'");
  Encode();
  // The border is in the middle of a chroma sample: red and blue on either side of it, and nothing between.
  Ffmpeg({"-i", Path("out/video.mp4"), "-vf", "extractplanes=v", "-f", "rawvideo", Path("out/chroma")});
  const std::string plane = ReadFile(Path("out/chroma"));
  const auto at = [&](std::size_t place) { return static_cast<int>(static_cast<unsigned char>(plane.at(place))); };
  const int red = at(0), blue = at(31);
  ASSERT_GT(red, blue + 50);
  for (std::size_t i = 0; i < plane.size(); ++i) {
    EXPECT_TRUE(std::abs(at(i) - red) <= 3 || std::abs(at(i) - blue) <= 3) << i << ": " << at(i);
  }
}

TEST_F(SequenceEncoderTest, OddSizesCanBeCut) {
  Make("color.%04d.png", "testsrc=s=65x49:r=2:d=1");
  settings_.crop_odd = true;
  Encode();
  EXPECT_EQ(Facts().width, 64);
  EXPECT_EQ(Facts().height, 48);
}

TEST_F(SequenceEncoderTest, WhatFailsLeavesNothingAndKeepsTheOldVideo) {
  Make("color.%04d.png", "testsrc2=s=64x48:r=8:d=1");
  const ControlFrames control = Control();
  WriteFile(Path("color.0003.png"), "no picture any more");
  MakeFolders(Path("out"));
  WriteFile(Path("out/video.mp4"), "old");
  try {
    EncodeSequence(control, folder_, settings_, Path("out/video.mp4"), &source_, cancel_, [](std::int64_t) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), HasSubstr("color.0003.png': found no picture in it"));
  }
  EXPECT_THAT(FilesLeft(), ElementsAre("video.mp4"));
  EXPECT_EQ(ReadFile(Path("out/video.mp4")), "old");
}

TEST_F(SequenceEncoderTest, CancelledLeavesNothing) {
  Make("color.%04d.png", "testsrc2=s=640x480:r=50:d=1");
  MakeFolders(Path("out"));
  EXPECT_THROW(EncodeSequence(Control(), folder_, settings_, Path("out/video.mp4"), &source_, cancel_,
                              [&](std::int64_t) { cancel_.Cancel(); }),
               Error);
  EXPECT_THAT(FilesLeft(), ElementsAre());
}

}  // namespace
}  // namespace cosmos
