#include "common/video_script.h"

#include <gmock/gmock.h>

#include <cosmos/shell_quote.hpp>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class VideoScriptTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return (host_.folder() / name).string(); }
  std::string Do(const std::string& commands) const {
    return sdk::testing::Shell("cd " + sdk::ShellQuote(host_.folder().string()) + "\n" + VideoScriptHead() + "{ " +
                               commands + "\n} 2>&1");
  }
  void Make(const std::string& name, const std::string& options) const {
    Do("ffmpeg -v error -f lavfi -i testsrc=s=64x48:r=30000/1001:d=1 " + options + " " + sdk::ShellQuote(name));
  }

  sdk::testing::FakeHost host_;
};

TEST_F(VideoScriptTest, ProbesAVideoOfAnyName) {
  Make("a 'b' $(c):d.mkv", "-c:v libx264");
  EXPECT_EQ(Do(SetAbsolute("in", "a 'b' $(c):d.mkv") + "probe \"$in\"; echo $width $height $rate $frames"),
            "64 48 30000/1001 30");
}

TEST_F(VideoScriptTest, SwapsTheSidesOfAVideoThatIsShownTurned) {
  Make("flat.mp4", "-c:v libx264");
  // The option of ffmpeg 6 and newer, then the way of older ones.
  Do("ffmpeg -v error -display_rotation 90 -i flat.mp4 -c copy -y turned.mp4 || "
     "ffmpeg -v error -i flat.mp4 -c copy -metadata:s:v rotate=90 -y turned.mp4");
  EXPECT_EQ(Do(SetAbsolute("in", "turned.mp4") + "probe \"$in\"; echo $width $height"), "48 64");
}

TEST_F(VideoScriptTest, KnowsTheShapeOfPixels) {
  Make("wide.mp4", "-c:v libx264 -vf setsar=2/1");
  Do("ffmpeg -v error -display_rotation 90 -i wide.mp4 -c copy -y turned.mp4 || "
     "ffmpeg -v error -i wide.mp4 -c copy -metadata:s:v rotate=90 -y turned.mp4");
  Make("square.mp4", "-c:v libx264");
  Do("ffmpeg -v error -f lavfi -i testsrc=s=64x48:d=0.1 -vf setsar=0 unknown.mkv");
  EXPECT_EQ(Do("for f in wide turned square; do probe $PWD/$f.mp4; echo $sar; done; probe $PWD/unknown.mkv; echo $sar"),
            "2/1\n1/2\n1/1\n1/1");
}

// Cut between key frames without encoding it again: the packets before the cut are there and not shown.
TEST_F(VideoScriptTest, CountsTheFramesThatDecode) {
  Do("ffmpeg -v error -f lavfi -i testsrc=s=64x48:r=24:d=4 -c:v libx264 -g 48 whole.mp4");
  Do("ffmpeg -v error -ss 1.5 -i whole.mp4 -c copy cut.mp4");
  EXPECT_EQ(Do("probe $PWD/cut.mp4; echo $frames"), "60");
}

TEST_F(VideoScriptTest, SaysWhichFileHasNoVideo) {
  Do("ffmpeg -v error -f lavfi -i sine=d=0.1 sound.wav");
  EXPECT_THAT(Do("(probe \"$PWD/sound.wav\") || true"), HasSubstr("found no video in " + File("sound.wav")));
  EXPECT_THAT(Do("(probe \"$PWD/none.mp4\") || echo status $?"), HasSubstr("status 1"));
}

TEST_F(VideoScriptTest, APlaylistIsNoVideo) {
  Make("secret.ts", "");
  Do("printf 'ffconcat version 1.0\\nfile secret.ts\\n' >in.mp4");
  EXPECT_THAT(Do("(probe \"$PWD/in.mp4\") || echo status $?"),
              AllOf(HasSubstr("Format not on whitelist"), HasSubstr("status 1")));
}

TEST_F(VideoScriptTest, CountsFramesAtAnotherRate) {
  EXPECT_EQ(Do("frames=48 rate=24/1; frames_at 12/1; frames_at 60000/1000; even 7; even 8; even 1"),
            "24\n120\n6\n8\n2");
}

}  // namespace
}  // namespace cosmos::plugins
