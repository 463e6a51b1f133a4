#include "media/exr_picture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "media/exr_fixture.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kNothing = std::numeric_limits<float>::infinity();

class ExrPictureTest : public MediaFixture {
 protected:
  std::string DepthProblem(const std::string& name) const {
    try {
      ReadExrDepth(Path(name));
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }
};

TEST_F(ExrPictureTest, TheDepthChannelIsFound) {
  const std::vector<float> depth = {7, 7}, other = {1, 1};
  using Channels = std::map<std::string, std::vector<float>>;
  const Channels cases[] = {{{"Z", depth}, {"R", other}, {"G", other}, {"B", other}, {"A", other}},
                            {{"depth.Z", depth}, {"R", other}, {"G", other}},
                            {{"depth.R", depth}, {"R", other}},
                            {{"Pz", depth}, {"C.R", other}},
                            {{"depth", depth}, {"Y", other}},
                            {{"R", depth}, {"G", other}, {"B", other}},
                            {{"R", depth}, {"N.X", other}, {"N.Y", other}, {"N.Z", other}},
                            {{"whatever", depth}}};
  for (const Channels& channels : cases) {
    WriteExr(Path("a.exr"), 2, 1, channels);
    EXPECT_THAT(ReadExrDepth(Path("a.exr")).depth, Each(7)) << channels.begin()->first;
  }
  WriteExr(Path("a.exr"), 2, 1, {{"N.X", other}, {"N.Y", other}, {"N.Z", other}});
  EXPECT_EQ(DepthProblem("a.exr"), "found no depth among its channels (N.X, N.Y, N.Z); expected Z, depth.Z, Y or R");
}

TEST_F(ExrPictureTest, WhereNothingIsBecomesInfinity) {
  WriteExr(Path("a.exr"), 4, 2, {{"Z", {1.5F, 0, kNothing, std::nanf(""), 1e10F, -kNothing, -3, 2000}}});
  const DepthPicture picture = ReadExrDepth(Path("a.exr"));
  EXPECT_EQ(picture.width, 4);
  EXPECT_EQ(picture.height, 2);
  EXPECT_THAT(picture.depth, ElementsAre(1.5F, kNothing, kNothing, kNothing, kNothing, kNothing, -3, 2000));
}

TEST_F(ExrPictureTest, TheLargestHalfIsNothing) {
  Make("a.exr", "color=black:s=2x2,format=grayf32le,geq=lum='if(X,65504,12)'",
       {"-frames:v", "1", "-c:v", "exr", "-format", "half"});
  EXPECT_THAT(ReadExrDepth(Path("a.exr")).depth, ElementsAre(12, kNothing, 12, kNothing));
}

TEST_F(ExrPictureTest, ThePictureIsWhatIsShown) {
  const Imath::Box2i shown({0, 0}, {3, 1});
  WriteExr(Path("smaller.exr"), shown, Imath::Box2i({1, 1}, {2, 1}), {{"Z", {5, 6}}});
  EXPECT_THAT(ReadExrDepth(Path("smaller.exr")).depth,
              ElementsAre(kNothing, kNothing, kNothing, kNothing, kNothing, 5, 6, kNothing));
  WriteExr(Path("larger.exr"), Imath::Box2i({1, 0}, {2, 0}), Imath::Box2i({0, 0}, {3, 0}), {{"Z", {1, 2, 3, 4}}});
  EXPECT_THAT(ReadExrDepth(Path("larger.exr")).depth, ElementsAre(2, 3));
}

TEST_F(ExrPictureTest, ReadsWhatFfmpegWrites) {
  Make("a.exr", "color=black:s=4x2,format=grayf32le,geq=lum='X*100+1'", {"-frames:v", "1", "-c:v", "exr"});
  EXPECT_THAT(ReadExrDepth(Path("a.exr")).depth, ElementsAre(1, 101, 201, 301, 1, 101, 201, 301));
  EXPECT_EQ(CheckExrColour(Path("a.exr")).width, 4);
}

TEST_F(ExrPictureTest, DamageIsFound) {
  WriteExr(Path("whole.exr"), 64, 64, {{"Z", std::vector<float>(64 * 64, 2)}, {"Y", std::vector<float>(64 * 64, 2)}});
  WriteFile(Path("cut.exr"), ReadFile(Path("whole.exr")).substr(0, 450));
  WriteFile(Path("text.exr"), "this is no picture");
  EXPECT_EQ(DepthProblem("whole.exr"), "");
  EXPECT_NE(DepthProblem("cut.exr"), "");
  EXPECT_THAT(DepthProblem("text.exr"), HasSubstr("not an image file"));
  EXPECT_THROW(CheckExrColour(Path("cut.exr")), Error);
  EXPECT_THROW(CheckExrColour(Path("none.exr")), Error);
}

TEST_F(ExrPictureTest, ColoursAreRedGreenAndBlueOrGrey) {
  const std::vector<float> pixels = {1, 1};
  WriteExr(Path("a.exr"), 2, 1, {{"R", pixels}, {"G", pixels}, {"B", pixels}, {"Z", pixels}});
  EXPECT_EQ(CheckExrColour(Path("a.exr")).width, 2);
  WriteExr(Path("a.exr"), 2, 1, {{"C.R", pixels}, {"C.G", pixels}, {"C.B", pixels}});
  try {
    CheckExrColour(Path("a.exr"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "found the channels C.B, C.G, C.R; expected R, G and B, or Y");
  }
}

}  // namespace
}  // namespace cosmos
