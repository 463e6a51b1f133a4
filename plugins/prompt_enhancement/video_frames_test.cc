#include "prompt_enhancement/video_frames.h"

#include <gmock/gmock.h>

#include <cosmos/failure.hpp>
#include <fstream>

#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class VideoFramesTest : public VideoFixture {
 protected:
  // The brightness of a frame, 0 to 255.
  int LumaOf(const std::string& jpeg) const {
    std::ofstream(Path("frame.jpg"), std::ios::binary) << jpeg;
    return Luma(Path("frame.jpg"), "iw:ih:0:0");
  }

  const Interrupt interrupt_;
};

TEST_F(VideoFramesTest, AreEvenlySpacedAndInOrder) {
  // Four seconds, each brighter than the one before.
  const std::string video =
      Clip("in.mp4", "color=black:s=160x90:r=10:d=4", "-vf \"geq=lum='16+55*floor(T)':cb=128:cr=128\"");
  const std::vector<std::string> frames = JpegFrames(video, 4, interrupt_);
  ASSERT_THAT(frames, SizeIs(4));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(frames[static_cast<std::size_t>(i)], StartsWith("\xFF\xD8\xFF"));
    EXPECT_NEAR(LumaOf(frames[static_cast<std::size_t>(i)]), 64 * i, 8) << i;
  }
}

TEST_F(VideoFramesTest, AreNoLargerThanAModelNeeds) {
  const auto size_at = [&](const std::string& size) {
    const std::string video = Clip(size + ".mp4", "testsrc=s=" + size + ":r=5:d=0.2");
    std::ofstream(Path("frame.jpg"), std::ios::binary) << JpegFrames(video, 1, interrupt_).at(0);
    return Size(Path("frame.jpg"));
  };
  EXPECT_EQ(size_at("1920x1080"), "768x432");
  EXPECT_EQ(size_at("90x160"), "90x160");
}

TEST_F(VideoFramesTest, OfPathsOfAnyCharacters) {
  const std::string video = Clip("-i $(touch PWNED) 'x' \"y\"; %d:[v].mp4", "testsrc=s=160x90:r=5:d=0.2");
  EXPECT_THAT(JpegFrames(video, 2, interrupt_), SizeIs(2));
  EXPECT_FALSE(std::filesystem::exists("PWNED"));
}

TEST_F(VideoFramesTest, OfAPictureThereIsOne) {
  sdk::testing::Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc=s=160x90 -frames:v 1 " +
                      sdk::ShellQuote(Path("still.png")));
  EXPECT_THAT(JpegFrames(Path("still.png"), 3, interrupt_), SizeIs(1));
}

TEST_F(VideoFramesTest, OfSomethingElseThereAreNone) {
  std::ofstream(Path("text.mp4")) << "no video";
  sdk::testing::Shell("ffmpeg -nostdin -v error -f lavfi -i anullsrc -t 0.1 " + sdk::ShellQuote(Path("sound.wav")));
  for (const char* name : {"text.mp4", "sound.wav", "missing.mp4"}) {
    try {
      JpegFrames(Path(name), 3, interrupt_);
      FAIL() << name;
    } catch (const sdk::StageFailure& failure) {
      EXPECT_EQ(failure.kind(), "invalid_input");
      EXPECT_THAT(failure.message(), HasSubstr(std::string(name) + "' gives no frames: "));
    }
  }
}

TEST_F(VideoFramesTest, OfAPlaylistThereAreNone) {
  Clip("secret.mp4", "testsrc=s=160x90:r=5:d=1");
  std::ofstream(Path("list.mp4")) << "ffconcat version 1.0\nfile secret.mp4\n";
  try {
    JpegFrames(Path("list.mp4"), 3, interrupt_);
    FAIL();
  } catch (const sdk::StageFailure& failure) {
    EXPECT_THAT(failure.message(), HasSubstr("found the format 'concat', expected MP4"));
  }
}

TEST_F(VideoFramesTest, AreGivenUpWhenTheStageIs) {
  Interrupt set;
  set.Set();
  EXPECT_THROW(JpegFrames(Clip("in.mp4", "testsrc=s=160x90:r=5:d=0.2"), 3, set), sdk::Cancelled);
}

}  // namespace
}  // namespace cosmos::plugins
