#include "media/exr_picture.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstring>
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
using ::testing::IsEmpty;

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

// A header that claims 30,000 x 30,000 pixels, with all the chunks that belong to them.
TEST_F(ExrPictureTest, AHugeSizeIsRefusedBeforeMemoryIsTaken) {
  const std::vector<float> pixels = {1};
  WriteExr(Path("small.exr"), 1, 1, {{"Y", pixels}, {"Z", pixels}});
  const std::string small = ReadFile(Path("small.exr"));
  const auto claiming = [&](const char* window, int side, std::size_t chunks) {
    std::string exr = small;
    const std::string last(reinterpret_cast<const char*>(std::array<int, 2>{side - 1, side - 1}.data()), 8);
    exr.replace(exr.find(window) + std::strlen(window) + 1 + sizeof "box2i" + 4 + 8, 8, last);
    std::uint64_t chunk = 0;  // the table of chunks follows the header; the one chunk stands right behind it
    std::size_t table = 0;
    while (chunk != table + 8) std::memcpy(&chunk, &exr[++table], 8);
    for (std::size_t i = 1; i < chunks; ++i) exr.insert(table, exr.substr(table, 8));
    WriteFile(Path("a.exr"), exr);
    return DepthProblem("a.exr");
  };
  EXPECT_THAT(claiming("dataWindow", 30'000, 1875),
              HasSubstr("found 30000 x 30000 pixels, expected at most 134217728"));
  EXPECT_THROW(CheckExrColour(Path("a.exr")), Error);
  EXPECT_THAT(claiming("displayWindow", 30'000, 1),
              HasSubstr("found 30000 x 30000 pixels, expected at most 134217728"));
  EXPECT_THAT(claiming("dataWindow", 1'000'000, 62'500), ::testing::Not(IsEmpty()));
  EXPECT_THAT(claiming("displayWindow", 2'000'000'000, 1), ::testing::Not(IsEmpty()));
}

TEST_F(ExrPictureTest, HugeChunksAreRefused) {
  Imf::Header header(20'000, 1);
  header.compression() = Imf::DWAB_COMPRESSION;  // 256 rows a chunk
  Imf::FrameBuffer buffer;
  const std::vector<float> row(20'000, 1);
  for (int i = 0; i < 40; ++i) {
    const std::string name = i == 0 ? "Z" : "layer" + std::to_string(i);
    header.channels().insert(name, Imf::Channel(Imf::FLOAT));
    buffer.insert(name, Imf::Slice::Make(Imf::FLOAT, row.data(), header.dataWindow()));
  }
  {
    Imf::OutputFile output(Path("a.exr").c_str(), header);
    output.setFrameBuffer(buffer);
    output.writePixels(1);
  }
  EXPECT_THAT(DepthProblem("a.exr"), HasSubstr("found chunks of 781 MiB, expected at most 512 MiB"));
}

TEST_F(ExrPictureTest, PicturesOfMoreRowsThanAreReadAtOnce) {
  constexpr int kHeight = 700;
  std::vector<float> pixels;
  for (int i = 0; i < 3 * kHeight; ++i) pixels.push_back(static_cast<float>(i + 1));
  WriteExr(Path("a.exr"), 3, kHeight, {{"Z", pixels}});
  EXPECT_EQ(ReadExrDepth(Path("a.exr")).depth, pixels);
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
