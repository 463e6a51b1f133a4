#include "core/file_pattern.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

TEST(FilePattern, IsToldFromAFile) {
  for (const char* path : {"*.exr", "frames/*.exr", "a?.png", "beauty.####.exr", "b.%04d.exr", "b.%d.exr", "b.$F4.exr",
                           "b.$F.exr", "frames/#"}) {
    EXPECT_TRUE(FilePattern::IsPattern(path)) << path;
  }
  for (const char* path :
       {"", "frames/", "a.exr", "100%.txt", "%s.txt", "$HOME", "*/a.exr", "####/a.exr", "a[1].png"}) {
    EXPECT_FALSE(FilePattern::IsPattern(path)) << path;
  }
}

TEST(FilePattern, WildcardsStandForTheFilesOfOneFolder) {
  const FilePattern pattern("frames/*.exr");
  EXPECT_FALSE(pattern.is_sequence());
  EXPECT_EQ(pattern.folder(), "frames/");
  for (const char* path : {"frames/a.exr", "frames/a.b.exr"}) EXPECT_TRUE(pattern.Matches(path)) << path;
  for (const char* path : {"frames/a.EXR", "frames/.exr", "frames/.a.exr", "frames/sub/a.exr", "a.exr",
                           "frames/a.exr.x", "frame/a.exr", "frames"}) {
    EXPECT_FALSE(pattern.Matches(path)) << path;
  }
  EXPECT_EQ(FilePattern("*").folder(), "");
  EXPECT_TRUE(FilePattern("*").Matches("a"));
  EXPECT_TRUE(FilePattern(".*").Matches(".a"));
  EXPECT_TRUE(FilePattern("a?c").Matches("aéc"));
  EXPECT_FALSE(FilePattern("a?c").Matches("ac"));
  EXPECT_TRUE(FilePattern("a*b*c").Matches("a_b_b_c"));
  EXPECT_FALSE(FilePattern("a*b*c").Matches("a_b_b_cd"));
}

// Backtracking over each star by itself would take for ever.
TEST(FilePattern, ManyWildcardsTakeNoTime) {
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*a";
  EXPECT_FALSE(FilePattern(stars + "b").Matches(std::string(250, 'a')));
}

TEST(FilePattern, APlaceForTheNumberStandsForTheFramesOfASequence) {
  for (const char* text : {"f/beauty.####.exr", "f/beauty.%04d.exr", "f/beauty.$F4.exr", "f/beauty.#.exr"}) {
    const FilePattern pattern(text);
    EXPECT_TRUE(pattern.is_sequence()) << text;
    EXPECT_EQ(pattern.FrameOf("f/beauty.1001.exr"), 1001) << text;
    EXPECT_EQ(pattern.FrameOf("f/beauty.0007.EXR"), 7) << text;
    EXPECT_EQ(pattern.FrameOf("f/beauty.-0005.exr"), -5) << text;
    EXPECT_EQ(pattern.DigitsIn("f/beauty.-0005.exr"), "-0005") << text;
    for (const char* path : {"f/beauty.exr", "f/beauty..exr", "f/beauty.1a.exr", "f/beauty.--5.exr", "f/depth.1.exr",
                             "f/beauty.1.png", "f/beauty.12345678901.exr", "f/g/beauty.1.exr", "beauty.1.exr"}) {
      EXPECT_FALSE(pattern.Matches(path)) << path;
    }
  }
  EXPECT_EQ(FilePattern("depth####.exr").FrameOf("depth-1.exr"), std::nullopt) << "there it separates";
  EXPECT_EQ(FilePattern("####").FrameOf("-1"), -1);
}

TEST(FilePattern, SaysWhatItCannotRead) {
  for (const char* text : {"a.exr", "frames/", "f_##_##.exr", "*.####.exr", "shot*/a.exr", "s##/a.##.exr", ""}) {
    EXPECT_THROW(FilePattern{text}, Error) << text;
  }
}

}  // namespace
}  // namespace cosmos
