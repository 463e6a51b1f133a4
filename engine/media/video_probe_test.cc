#include "media/video_probe.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::HasSubstr;

class VideoProbeTest : public MediaFixture {
 protected:
  // The error that looking at a file ends with.
  Error Failure(const std::filesystem::path& path) const {
    try {
      ProbeVideo(path, cancel_);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << path << " has a video";
    return Error(ErrorCode::kInternal, "");
  }
};

TEST_F(VideoProbeTest, TellsWhatAVideoIs) {
  const VideoFacts facts = ProbeVideo(
      Make("a.mp4", "testsrc2=s=64x48:r=24000/1001:d=3", {"-frames:v", "48", "-pix_fmt", "yuv420p"}), cancel_);
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.height, 48);
  EXPECT_EQ(facts.rate, (FrameRate{24000, 1001}));
  EXPECT_EQ(facts.frames, 48);
  EXPECT_NEAR(facts.duration, 48 * 1001 / 24000.0, 0.001);
  EXPECT_EQ(facts.codec, "h264");
  EXPECT_EQ(facts.pixel_format, "yuv420p");
}

TEST_F(VideoProbeTest, GivesTheSizeAsItIsShown) {
  const auto lying = Make("lying.mp4", "testsrc2=s=64x48:r=10:d=1");
  Ffmpeg({"-i", lying, "-c", "copy", "-metadata:s:v:0", "rotate=90", Path("turned.mp4")});
  Ffmpeg({"-i", lying, "-c", "copy", "-metadata:s:v:0", "rotate=180", Path("upside_down.mp4")});
  EXPECT_EQ(ProbeVideo(Path("turned.mp4"), cancel_).width, 48);
  EXPECT_EQ(ProbeVideo(Path("turned.mp4"), cancel_).height, 64);
  EXPECT_EQ(ProbeVideo(Path("upside_down.mp4"), cancel_).width, 64);
}

TEST_F(VideoProbeTest, CountsTheFramesThatDecode) {
  const auto whole = Make("whole.mp4", "testsrc2=s=64x48:r=24:d=4", {"-g", "48"});
  Ffmpeg({"-ss", "1.5", "-i", whole, "-c", "copy", Path("cut.mp4")});
  EXPECT_EQ(ProbeVideo(Path("cut.mp4"), cancel_).frames, 60);
  EXPECT_EQ(ProbeVideo(Path("cut.mp4"), cancel_, 7).frames, 7);
  // The end of the file is missing, and with it half of a picture.
  Ffmpeg({"-i", whole, "-c", "copy", Path("short.ts")});
  std::filesystem::resize_file(Path("short.ts"), std::filesystem::file_size(Path("short.ts")) / 2);
  EXPECT_LT(ProbeVideo(Path("short.ts"), cancel_).frames, 90);
}

TEST_F(VideoProbeTest, APictureIsAVideoOfOneFrame) {
  const VideoFacts facts = ProbeVideo(Make("a.png", "testsrc2=s=64x48", {"-frames:v", "1"}), cancel_);
  EXPECT_EQ(facts.frames, 1);
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.codec, "png");
}

TEST_F(VideoProbeTest, NamesAreNoPatternsOrAddresses) {
  for (const char* name : {"a b.mp4", "100%04d.mp4", "http:a.mp4", "it's \"one\".mp4"}) {
    EXPECT_EQ(ProbeVideo(Make(name, "color=s=64x48:r=10:d=1"), cancel_).frames, 10) << name;
  }
}

TEST_F(VideoProbeTest, SaysWhatIsWrong) {
  EXPECT_EQ(Failure(Path("none.mp4")).code(), ErrorCode::kNotFound);
  EXPECT_THAT(Failure(Path("none.mp4")).message(), HasSubstr("there is no file '" + Path("none.mp4").string()));
  WriteFile(Path("text.mp4"), "this is no video");
  EXPECT_EQ(Failure(Path("text.mp4")).code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(Failure(Path("text.mp4")).message(), HasSubstr("found no video in"));
  EXPECT_THAT(Failure(folder_).message(), HasSubstr("it is no file"));
  EXPECT_THAT(Failure(Make("sound.mp4", "sine=d=1")).message(), HasSubstr("found no video in"));
  EXPECT_THAT(Failure(Make("sound.wav", "sine=d=1")).message(), HasSubstr("found the format 'wav', expected MP4"));
}

TEST_F(VideoProbeTest, APlaylistIsNoVideo) {
  Make("secret.ts", "testsrc2=s=64x48:r=10:d=1");
  WriteFile(Path("output.mp4"), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + Path("secret.ts").string() +
                                    "\n#EXT-X-ENDLIST\n");
  const Error failure = Failure(Path("output.mp4"));
  EXPECT_EQ(failure.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(failure.message(), HasSubstr("is not read as a video: found the format 'hls', expected MP4"));
}

TEST_F(VideoProbeTest, SaysThatThereIsNoFfprobe) {
  const auto video = Make("a.mp4", "color=s=64x48:r=10:d=1");
  const NoPrograms none;
  EXPECT_EQ(Failure(video).code(), ErrorCode::kUnavailable);
  EXPECT_THAT(Failure(video).message(), HasSubstr("there is no ffprobe on this machine"));
  EXPECT_EQ(Failure(video).hint(), "install ffmpeg");
}

TEST_F(VideoProbeTest, StopsWhenCancelled) {
  const auto video = Make("a.mp4", "color=s=64x48:r=10:d=1");
  cancel_.Cancel();
  EXPECT_THAT(Failure(video).message(), HasSubstr("was cancelled"));
}

}  // namespace
}  // namespace cosmos
