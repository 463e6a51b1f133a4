#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cosmos/media_input.hpp>
#include <cosmos/shell_quote.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "testing/fake_host.h"

namespace cosmos::sdk {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class MediaInputTest : public ::testing::Test {
 protected:
  // Makes files with the real ffmpeg; `options` are those of its command.
  void Make(const std::string& options) const {
    In("ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=64x48:r=25:d=0.4 " + options);
  }
  std::string In(const std::string& command) const {
    return testing::Shell("cd " + ShellQuote(host_.folder().string()) + "\n{ " + command + "\n} 2>&1");
  }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(host_.folder() / name) << text; }
  std::string File(const std::string& name) const { return (host_.folder() / name).string(); }
  // What ffprobe says of a file: the codec of its video, or its log.
  std::string Probe(const std::string& name) const {
    const Arguments options = {"-select_streams", "v:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0"};
    return In(ShellJoin(FfprobeCommand(options, MediaInput(File(name)))) + " || true");
  }
  // Decodes all of a file with ffmpeg; its log.
  std::string Decode(const std::string& name) const {
    return In(ShellJoin(FfmpegCommand({MediaInput(File(name)), {"-map", "0:v", "-f", "null", "-"}})) + " || true");
  }

  testing::FakeHost host_;
};

TEST_F(MediaInputTest, ReadsTheUsualFormats) {
  Make("-pix_fmt yuv420p a.mp4");
  for (const char* name : {"a.mov", "a.mkv", "a.webm", "a.avi", "a.ts", "a.mpg", "a.m2v", "a.ogv", "a.flv", "a.wmv",
                           "a.nut", "a.y4m", "a.gif", "a.h264", "a.mxf"}) {
    Make(std::string(name).find("mxf") == std::string::npos ? name : "-c:v mpeg2video a.mxf");
  }
  for (const char* name : {"a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.ts", "a.mpg", "a.m2v", "a.ogv", "a.flv",
                           "a.wmv", "a.nut", "a.y4m", "a.gif", "a.h264", "a.mxf"}) {
    EXPECT_EQ(RefusedFormat(Probe(name)), "") << name;
    EXPECT_THAT(Probe(name), Not(HasSubstr("Invalid"))) << name;
    EXPECT_EQ(Decode(name), "") << name;
  }
  for (const char* name : {"b.png", "b.jpg", "b.tif", "b.bmp", "b.webp", "b.dpx"}) {
    Make(std::string("-frames:v 1 -update 1 ") + name);
    EXPECT_EQ(Decode(name), "") << name;
  }
}

// Each of these makes ffmpeg read other files; without the limits the first two pass as good videos.
TEST_F(MediaInputTest, RefusesWhatOpensOtherFiles) {
  Make("-c:v mpeg2video secret.ts");
  Make("-frames:v 4 'frame%03d.png'");
  Make("-frames:v 1 -update 1 frame.png");
  Write("hls.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + File("secret.ts") + "\n#EXT-X-ENDLIST\n");
  Write("concat.mp4", "ffconcat version 1.0\nfile secret.ts\n");
  Write("dash.mp4",
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
        "profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\">\n<Period>"
        "<AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\"><BaseURL>secret.ts</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>\n");
  Write("sdp.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n");
  Write("vobsub.mp4", "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n");
  Write("srt.mp4", "1\n00:00:00,000 --> 00:00:01,000\ntext\n");
  Write("metadata.mp4", ";FFMETADATA1\ntitle=x\n");
  fs::rename(File("frame.png"), File("frame%03d.png"));
  for (const char* name :
       {"hls.mp4", "concat.mp4", "dash.mp4", "sdp.mp4", "vobsub.mp4", "srt.mp4", "metadata.mp4", "frame%03d.png"}) {
    EXPECT_THAT(RefusedFormat(Probe(name)), HasSubstr("expected MP4")) << name << ": " << Probe(name);
    EXPECT_THAT(RefusedFormat(Decode(name)), HasSubstr("expected MP4")) << name << ": " << Decode(name);
  }
  EXPECT_THAT(RefusedFormat(Probe("hls.mp4")), HasSubstr("found the format 'hls'"));
}

// A QuickTime file may name others as the place of its samples.
TEST_F(MediaInputTest, QuickTimeReferencesAreNotFollowed) {
  EXPECT_THAT(In("ffmpeg -v error -h demuxer=mov | grep enable_drefs"), HasSubstr("(default false)"));
}

TEST_F(MediaInputTest, NamesAreNeitherOptionsNorPatternsNorAddresses) {
  Make("-pix_fmt yuv420p a.mp4");
  for (const char* name : {"-y.mp4", "100%04d.mp4", "http:x.mp4", "concat:a.mp4|a.mp4", "subfile,,start,0,,:a.mp4",
                           "a $(touch PWNED) 'b' \"c\".mp4", "[0:v].mp4"}) {
    fs::copy_file(File("a.mp4"), File(name));
    EXPECT_EQ(Probe(name), "h264") << name;
    EXPECT_EQ(In("v=" + ShellQuote(name) + "; " + ShellFfprobe() + " -show_entries stream=codec_name -of csv=p=0 " +
                 ShellMediaInput("v")),
              "h264")
        << name;
  }
  EXPECT_FALSE(fs::exists(host_.folder() / "PWNED"));
}

TEST_F(MediaInputTest, HugePicturesAreRefusedBeforeMemoryIsTaken) {
  // A PNG of 30,000 x 30,000 black pixels is a megabyte; here its header alone is enough.
  Make("-frames:v 1 -update 1 a.png");
  std::fstream file(File("a.png"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(16);
  file.write("\0\0\x75\x30\0\0\x75\x30", 8);
  file.close();
  EXPECT_THAT(Decode("a.png"), HasSubstr("Picture size 30000x30000"));
}

TEST_F(MediaInputTest, FramesOnStdinAreAnInput) {
  const Arguments copy = {"-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"};
  EXPECT_EQ(In("printf aabbcc | " + ShellJoin(FfmpegCommand({RawFramesInput("gray", 2, 1), copy}))), "aabbcc");
}

TEST(RefusedFormatTest, IsEmptyForOtherErrors) {
  EXPECT_EQ(RefusedFormat(""), "");
  EXPECT_EQ(RefusedFormat("[mov @ 0x1] moov atom not found\n"), "");
  EXPECT_THAT(RefusedFormat("line\n[mpl2 @ 0x1] Format not on whitelist 'mov'\n"), HasSubstr("'mpl2'"));
}

}  // namespace
}  // namespace cosmos::sdk
