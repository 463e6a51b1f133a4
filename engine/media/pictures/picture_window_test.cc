#include "media/pictures/picture_window.h"

#include <gmock/gmock.h>

#include <string>

namespace cosmos {
namespace {

// The picture `abc` over `def`, turned: its rows one behind the other.
std::string Turned(int orientation) {
  const PicturePlacement placement({0, 0, 3, 2}, {0, 0, 3, 2}, orientation);
  std::string picture(placement.pixels(), '?');
  const std::string rows[] = {"abc", "def"};
  for (int y = 0; y < 2; ++y) {
    placement.ForRow(y, [&](std::size_t to, std::size_t from) { picture.at(to) = rows[y].at(from); });
  }
  return picture.insert(static_cast<std::size_t>(placement.width()), "/");
}

TEST(PicturePlacement, TurnsAsTiffSays) {
  EXPECT_EQ(Turned(1), "abc/def");
  EXPECT_EQ(Turned(2), "cba/fed");
  EXPECT_EQ(Turned(3), "fed/cba");
  EXPECT_EQ(Turned(4), "def/abc");
  EXPECT_EQ(Turned(5), "ad/becf");
  EXPECT_EQ(Turned(6), "da/ebfc");
  EXPECT_EQ(Turned(7), "fc/ebda");
  EXPECT_EQ(Turned(8), "cf/bead");
}

TEST(PicturePlacement, CutsToWhatIsShown) {
  const PicturePlacement placement({10, 20, 2, 2}, {9, 21, 5, 7});
  std::string picture(placement.pixels(), '.');
  for (int y = 21; y < 28; ++y) {
    placement.ForRow(y, [&](std::size_t to, std::size_t from) { picture.at(to) = "abcde"[from]; });
  }
  EXPECT_EQ(picture, "..bc");
}

TEST(PicturePlacement, OfWindowsThatDoNotMeetIsEmpty) {
  const PicturePlacement placement({0, 0, 4, 4}, {100, 0, 5, 4});
  placement.ForRow(1, [](std::size_t, std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace cosmos
