#include "media/picture_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PicturesOfControl Pictures(int width, int height, int frames) {
  PicturesOfControl pictures;
  for (int i = 1; i <= frames; ++i) pictures[i] = {width, height, "", ""};
  return pictures;
}

std::vector<std::string> Check(const std::map<std::string, PicturesOfControl>& pictures, bool crop_odd = false) {
  std::vector<std::string> texts;
  for (const ShotFinding& finding : CheckPictures(pictures, crop_odd)) {
    texts.push_back((finding.error ? "E " : "W ") + ToText(finding));
  }
  return texts;
}

TEST(CheckPictures, GoodOnes) {
  EXPECT_THAT(Check({{"color", Pictures(64, 48, 3)}, {"depth", Pictures(64, 48, 3)}}), IsEmpty());
}

TEST(CheckPictures, UnreadableOnes) {
  PicturesOfControl pictures = Pictures(64, 48, 9);
  for (const int frame : {4, 5, 8}) pictures[frame] = {0, 0, "it is cut", "render it again"};
  pictures[6] = {0, 0, "it is deep", "flatten it"};
  EXPECT_THAT(Check({{"color", pictures}}),
              ElementsAre("E color: frames 4-5, 8 are unreadable: it is cut; render it again",
                          "E color: frame 6 is unreadable: it is deep; flatten it"));
}

TEST(CheckPictures, ManyReasonsAreCut) {
  PicturesOfControl pictures = Pictures(64, 48, 9);
  for (int i = 1; i <= 9; ++i) pictures[i] = {0, 0, "reason " + std::to_string(i), ""};
  const std::vector<std::string> texts = Check({{"color", pictures}});
  ASSERT_EQ(texts.size(), 5u);
  EXPECT_EQ(texts[4], "E color: frames 5-9 are unreadable for other reasons");
}

TEST(CheckPictures, SizesThatDiffer) {
  PicturesOfControl pictures = Pictures(64, 48, 9);
  pictures[1] = {32, 24, "", ""};
  EXPECT_THAT(Check({{"color", pictures}, {"depth", Pictures(32, 24, 9)}}),
              ElementsAre("E color: frame 1 is of another size: 32x24, the others 64x48; render all frames in one size",
                          "E the controls have different sizes: depth 32x24; color 64x48; render all of them in one "
                          "size"));
}

TEST(CheckPictures, OddSizes) {
  EXPECT_THAT(Check({{"color", Pictures(65, 48, 1)}, {"depth", Pictures(65, 48, 1)}}),
              ElementsAre("E color, depth: the size 65x48 is odd, and a video's must be even; render an even size, or "
                          "cut to 64x48 with --crop-odd"));
  EXPECT_THAT(Check({{"color", Pictures(65, 47, 1)}}, true),
              ElementsAre("W color: the size 65x47 is odd, and a video's must be even: cut to 64x46"));
  EXPECT_THAT(Check({{"color", Pictures(1, 47, 1)}}, true),
              ElementsAre("E color: the size 1x47 is odd, and a video's must be even; render larger frames"));
}

}  // namespace
}  // namespace cosmos
