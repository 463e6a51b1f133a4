#include "media/frame_links.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class FrameLinksTest : public MediaFixture {};

TEST_F(FrameLinksTest, FfmpegSeesFramesInOrderWhateverTheirNames) {
  const fs::path a = Path("it's 100%d: \"a\".PNG");
  fs::rename(Make("a.PNG", "color=s=16x16", {"-frames:v", "1", "-f", "image2"}), a);
  const fs::path b = Make("b.PNG", "color=white:s=32x16", {"-frames:v", "1", "-f", "image2"});
  const FrameLinks links({a, b, a, a});
  std::vector<std::string> words = {"ffprobe", "-v", "error"};
  for (const std::string& word : links.InputWords()) words.push_back(word);
  words.insert(words.end(), {"-show_entries", "frame=width", "-of", "csv=p=0"});
  EXPECT_EQ(RunCommand(words, std::chrono::hours(1), cancel_).output, "16\n32\n16\n16\n");
}

TEST_F(FrameLinksTest, LeavesNothingBehind) {
  std::string pattern;
  {
    const FrameLinks links({Path("a.png")});
    pattern = links.InputWords().back().substr(std::string("file:").size());
    EXPECT_TRUE(fs::exists(fs::path(pattern).parent_path()));
  }
  EXPECT_FALSE(fs::exists(fs::path(pattern).parent_path()));
}

}  // namespace
}  // namespace cosmos
