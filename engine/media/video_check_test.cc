#include "media/video_check.h"

#include <gmock/gmock.h>

#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::HasSubstr;

class VideoCheckTest : public MediaFixture {};

TEST_F(VideoCheckTest, CountsTheFramesOfASoundVideo) {
  const VideoCheck check = CheckVideo(Make("a.mp4", "testsrc2=s=64x48:r=10:d=2"), cancel_);
  EXPECT_TRUE(check.sound()) << check.problem;
  EXPECT_EQ(check.frames, 20);
}

TEST_F(VideoCheckTest, FindsDamageInTheMiddle) {
  const auto video = Make("a.mp4", "testsrc2=s=256x256:r=10:d=3", {"-g", "5"});
  std::string bytes = ReadFile(video);
  bytes.replace(bytes.size() / 2, 2000, 2000, '\xff');
  WriteFile(video, bytes);
  const VideoCheck check = CheckVideo(video, cancel_);
  EXPECT_FALSE(check.sound());
  EXPECT_LT(check.frames, 30);
}

TEST_F(VideoCheckTest, SaysWhatIsWrong) {
  WriteFile(Path("text.mp4"), "this is no video");
  EXPECT_EQ(CheckVideo(Path("text.mp4"), cancel_).problem, "moov atom not found");
  EXPECT_THAT(CheckVideo(Path("none.mp4"), cancel_).problem, HasSubstr("No such file"));
  EXPECT_FALSE(CheckVideo(Make("sound.wav", "sine=d=1"), cancel_).sound());
}

// A host returned such a file as output.mp4: it passed as a good video, of any clip of this machine.
TEST_F(VideoCheckTest, APlaylistIsNoVideo) {
  Make("secret.ts", "testsrc2=s=64x48:r=10:d=1");
  WriteFile(Path("output.mp4"), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + Path("secret.ts").string() +
                                    "\n#EXT-X-ENDLIST\n");
  WriteFile(Path("list.mp4"), "ffconcat version 1.0\nfile secret.ts\n");
  EXPECT_THAT(CheckVideo(Path("output.mp4"), cancel_).problem, HasSubstr("found the format 'hls', expected MP4, MOV"));
  EXPECT_THAT(CheckVideo(Path("list.mp4"), cancel_).problem, HasSubstr("found the format 'concat', expected MP4"));
}

TEST_F(VideoCheckTest, SaysThatThereIsNoFfmpeg) {
  const NoPrograms none;
  EXPECT_THAT(CheckVideo(Path("a.mp4"), cancel_).problem, HasSubstr("there is no ffmpeg on this machine"));
}

TEST_F(VideoCheckTest, StopsWhenCancelled) {
  cancel_.Cancel();
  EXPECT_EQ(CheckVideo(Path("a.mp4"), cancel_).problem, "the check was cancelled");
}

}  // namespace
}  // namespace cosmos
