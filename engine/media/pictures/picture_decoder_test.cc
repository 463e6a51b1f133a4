#include "media/pictures/picture_decoder.h"

#include <OpenEXR/ImfRgbaFile.h>
#include <OpenImageIO/deepdata.h>
#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <limits>

#include "core/files.h"
#include "media/exr_fixture.h"
#include "media/pictures/picture_fixture.h"

namespace cosmos {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr float kNothing = std::numeric_limits<float>::infinity();
const PictureChoice kDepth = {PictureChoice::Kind::kDepth};
const PictureChoice kRaw = {PictureChoice::Kind::kColour, "", "raw"};

// Each value about the expected one.
::testing::Matcher<const std::vector<float>&> Near(float tolerance, const std::vector<float>& expected) {
  std::vector<::testing::Matcher<float>> each;
  for (const float value : expected) each.push_back(FloatNear(value, tolerance));
  return ::testing::ElementsAreArray(each);
}

class PictureDecoderTest : public PictureFixture {
 protected:
  std::vector<float> Depth(const std::string& name) { return DepthOf(Decode(name, kDepth)); }
  // The grey levels of a picture, red alone.
  std::vector<float> Red(const std::string& name, const PictureChoice& choice = kRaw) {
    const std::vector<float> levels = LevelsOf(Decode(name, choice));
    std::vector<float> red;
    for (std::size_t i = 0; i < levels.size(); i += 3) red.push_back(levels[i]);
    return red;
  }
};

TEST_F(PictureDecoderTest, ThePictureIsWhatIsShown) {
  const Imath::Box2i shown({0, 0}, {3, 1});
  WriteExr(Path("smaller.exr"), shown, Imath::Box2i({1, 1}, {2, 1}), {{"Y", {0.5F, 1}}, {"Z", {5, 6}}});
  EXPECT_THAT(Depth("smaller.exr"), ElementsAre(kNothing, kNothing, kNothing, kNothing, kNothing, 5, 6, kNothing));
  EXPECT_THAT(Red("smaller.exr"), Near(2e-3F, {0, 0, 0, 0, 0, 0.5F, 1, 0}));
  WriteExr(Path("larger.exr"), Imath::Box2i({1, 0}, {2, 0}), Imath::Box2i({0, 0}, {3, 0}),
           {{"Y", {0.1F, 0.2F, 0.3F, 0.4F}}, {"Z", {1, 2, 3, 4}}});
  EXPECT_THAT(Depth("larger.exr"), ElementsAre(2, 3));
  EXPECT_THAT(Red("larger.exr"), Near(2e-3F, {0.2F, 0.3F}));
  WriteExr(Path("elsewhere.exr"), Imath::Box2i({-3, 5}, {-2, 6}), Imath::Box2i({-2, 6}, {-1, 7}),
           {{"Y", {0.1F, 0.2F, 0.3F, 0.4F}}});
  EXPECT_THAT(Red("elsewhere.exr"), Near(2e-3F, {0, 0, 0, 0.1F}));
}

TEST_F(PictureDecoderTest, ColoursAreCutToWhatIsShown) {
  WriteExr(Path("a.exr"), 6, 1, {{"Y", {-1, 0, 0.214041F, 1, 8, NAN}}});
  EXPECT_THAT(Red("a.exr", {}), Near(2e-3F, {0, 0, 0.5F, 1, 1, 0}));
  EXPECT_THAT(Red("a.exr"), Near(2e-3F, {0, 0, 0.214041F, 1, 1, 0}));
}

TEST_F(PictureDecoderTest, ALayerAndASpaceAreTaken) {
  const std::vector<float> a = {0.18F, 0.18F}, b = {0.5F, 0.5F};
  WriteExr(Path("a.exr"), 2, 1, {{"R", a}, {"G", a}, {"B", a}, {"diffuse.R", b}, {"diffuse.G", b}, {"diffuse.B", b}});
  EXPECT_THAT(Red("a.exr"), Each(FloatNear(0.18F, 2e-3F)));
  EXPECT_THAT(Red("a.exr", {PictureChoice::Kind::kColour, "diffuse", "raw"}), Each(FloatNear(0.5F, 2e-3F)));
  EXPECT_THAT(Red("a.exr", {PictureChoice::Kind::kColour, "", "acescg"}), Each(FloatNear(0.46135F, 2e-3F)));
  EXPECT_EQ(Decode("a.exr", {PictureChoice::Kind::kColour, "", "acescg"}).colorspace, "acescg");
}

TEST_F(PictureDecoderTest, IntegersAreConvertedOnlyWhenASpaceIsSaid) {
  Write("a.dpx", "dpx", OIIO::ImageSpec(2, 1, 3, OIIO::TypeUInt16), std::vector<float>(6, 0.18F));
  EXPECT_THAT(Red("a.dpx", {}), Each(FloatNear(0.18F, 2e-3F)));
  EXPECT_THAT(Red("a.dpx", {PictureChoice::Kind::kColour, "", "linear-srgb"}), Each(FloatNear(0.46135F, 2e-3F)));
}

TEST_F(PictureDecoderTest, LuminanceAndChromaBecomeColours) {
  {
    Imf::RgbaOutputFile output(Path("a.exr").c_str(), 8, 8, Imf::WRITE_YC);
    const std::vector<Imf::Rgba> pixels(64, Imf::Rgba(0.8F, 0.4F, 0.2F));
    output.setFrameBuffer(pixels.data(), 1, 8);
    output.writePixels(8);
  }
  const std::vector<float> levels = LevelsOf(Decode("a.exr", kRaw));
  ASSERT_EQ(levels.size(), 8u * 8 * 3);
  EXPECT_NEAR(levels[0], 0.8, 0.01);
  EXPECT_NEAR(levels[1], 0.4, 0.01);
  EXPECT_NEAR(levels[2], 0.2, 0.01);
}

TEST_F(PictureDecoderTest, AlphaDoesNotTouchColours) {
  for (const StoredAs& way : AllWays()) {
    if (way.channels != 4) continue;
    Write("a." + way.extension, way.format, way.Spec(8, 8), std::vector<float>(8 * 8 * 3, 0.6F), 0.25F);
    EXPECT_THAT(Red("a." + way.extension), Each(FloatNear(0.6F, 0.01F))) << way.ToString();
  }
}

TEST_F(PictureDecoderTest, ATransparentWebpIsRefused) {
  Write("a.webp", "webp", OIIO::ImageSpec(8, 8, 4, OIIO::TypeUInt8), std::vector<float>(8 * 8 * 3, 0.6F), 0.25F);
  EXPECT_THAT(ProblemOf("a.webp"), HasSubstr("it is a WebP with transparency"));
}

TEST_F(PictureDecoderTest, PicturesAreTurnedAsTheySay) {
  OIIO::ImageSpec wide(16, 8, 3, OIIO::TypeUInt8);
  wide.attribute("Orientation", 6);
  Write("a.jpg", "jpeg", wide, std::vector<float>(16 * 8 * 3, 0.5F));
  EXPECT_EQ(Decode("a.jpg").width, 8);
  OIIO::ImageSpec spec(3, 2, 1, OIIO::TypeUInt8);
  spec.attribute("Orientation", 6);
  WriteRaw("a.tif", "tiff", spec, {0, 0.2F, 0.4F, 0.6F, 0.8F, 1});
  const DecodedPicture picture = Decode("a.tif");
  EXPECT_EQ(picture.width, 2);
  EXPECT_EQ(picture.height, 3);
  EXPECT_THAT(Red("a.tif"), Near(2e-3F, {0.6F, 0, 0.8F, 0.2F, 1, 0.4F}));
}

TEST_F(PictureDecoderTest, FewBitsArePicturesToo) {
  OIIO::ImageSpec spec(4, 1, 1, OIIO::TypeUInt8);
  spec.attribute("oiio:BitsPerSample", 1);
  WriteRaw("a.tif", "tiff", spec, {0, 1, 1, 0});
  EXPECT_THAT(Red("a.tif"), ElementsAre(0, 1, 1, 0));
  Make("palette.png",
       "color=0xff8000:s=4x4:r=1:d=1,format=rgb24,split[a][b];[a]palettegen=max_colors=4[p];[b][p]paletteuse",
       {"-frames:v", "1", "-pix_fmt", "pal8"});
  const std::vector<float> levels = LevelsOf(Decode("palette.png"));
  EXPECT_NEAR(levels[0], 1, 0.02);
  EXPECT_NEAR(levels[1], 0x80 / 255.0, 0.02);
}

TEST_F(PictureDecoderTest, WhereNothingWasHitDepthIsInfinite) {
  WriteExr(Path("a.exr"), 8, 1, {{"Z", {1.5F, 0, kNothing, -kNothing, NAN, 1e10F, -3, 2000}}});
  EXPECT_THAT(Depth("a.exr"), ElementsAre(1.5F, kNothing, kNothing, kNothing, kNothing, kNothing, -3, 2000));
  EXPECT_EQ(Decode("a.exr", kDepth).depth, (DepthRange{-3, 2000}));
  EXPECT_TRUE(Decode("a.exr", kDepth).distances);
}

TEST_F(PictureDecoderTest, TheLargestHalfIsNothing) {
  WriteRaw("a.exr", "openexr", OIIO::ImageSpec(2, 1, 1, OIIO::TypeHalf), {12, 65504});
  EXPECT_THAT(Depth("a.exr"), ElementsAre(12, kNothing));
}

TEST_F(PictureDecoderTest, DepthInFloatsIsDistanceAndInIntegersIsGrey) {
  WriteRaw("a.tif", "tiff", OIIO::ImageSpec(2, 1, 1, OIIO::TypeFloat), {250, 0.5F});
  EXPECT_THAT(Depth("a.tif"), ElementsAre(250, 0.5F));
  WriteRaw("b.tif", "tiff", OIIO::ImageSpec(2, 1, 1, OIIO::TypeUInt16), {1, 0});
  EXPECT_THAT(Depth("b.tif"), ElementsAre(1, 0));
  EXPECT_FALSE(Decode("b.tif", kDepth).distances);
  EXPECT_FALSE(Decode("b.tif", kDepth).depth);
  Write("c.png", "png", OIIO::ImageSpec(1, 1, 3, OIIO::TypeUInt8), {1, 0, 0});
  EXPECT_THAT(Depth("c.png"), ElementsAre(FloatNear(0.299F, 1e-3F)));
}

TEST_F(PictureDecoderTest, MoreRowsThanAreReadAtOnce) {
  constexpr int kRows = 700;
  std::vector<float> pixels;
  for (int i = 0; i < 3 * kRows; ++i) pixels.push_back(static_cast<float>(i + 1));
  WriteExr(Path("a.exr"), 3, kRows, {{"Z", pixels}});
  EXPECT_EQ(Depth("a.exr"), pixels);
  OIIO::ImageSpec tiled(3, kRows, 1, OIIO::TypeFloat);
  tiled.tile_width = tiled.tile_height = 64;
  WriteRaw("b.exr", "openexr", tiled, pixels);
  EXPECT_EQ(Depth("b.exr"), pixels);
}

TEST_F(PictureDecoderTest, WhatCannotBeReadHasAReasonAndAWayOut) {
  WriteFile(Path("text.exr"), "this is no picture");
  EXPECT_THAT(ProblemOf("text.exr"), HasSubstr("found no picture in it"));
  EXPECT_THAT(ProblemOf("none.exr"), HasSubstr("No such file"));
  WriteExr(Path("a.exr"), 2, 1, {{"C.X", {1, 1}}, {"D.X", {1, 1}}});
  EXPECT_THAT(ProblemOf("a.exr"), HasSubstr("found the channels C.X, D.X; expected R, G and B, or Y; choose a layer"));
  EXPECT_THAT(ProblemOf("a.exr", {PictureChoice::Kind::kColour, "E"}), HasSubstr("found the layers C, D"));
  Write("a.png", "png", OIIO::ImageSpec(2, 1, 3, OIIO::TypeUInt8), std::vector<float>(6));
  EXPECT_THAT(ProblemOf("a.png", {PictureChoice::Kind::kColour, "E"}), HasSubstr("it has no layers"));
  EXPECT_THAT(ProblemOf("a.png", {PictureChoice::Kind::kColour, "", "E"}), HasSubstr("there is no colour space 'E'"));
}

TEST_F(PictureDecoderTest, DeepPicturesAreRefused) {
  OIIO::ImageSpec spec(2, 2, 2, OIIO::TypeFloat);
  spec.channelnames = {"A", "Z"};
  spec.deep = true;
  OIIO::DeepData data(spec);
  data.set_all_samples(std::vector<unsigned>(4, 1));
  const auto output = OIIO::ImageOutput::create("openexr");
  ASSERT_TRUE(output->open(Path("a.exr").string(), spec) && output->write_deep_image(data) && output->close());
  EXPECT_THAT(ProblemOf("a.exr", kDepth), HasSubstr("it is a deep EXR; flatten it"));
}

// A header that claims 30,000 x 30,000 pixels, with all the chunks that belong to them.
TEST_F(PictureDecoderTest, AHugeExrIsRefusedBeforeMemoryIsTaken) {
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
    return ProblemOf("a.exr", kDepth);
  };
  EXPECT_THAT(claiming("dataWindow", 30'000, 1875),
              HasSubstr("found 30000 x 30000 pixels, expected at most 134217728"));
  EXPECT_THAT(ProblemOf("a.exr"), HasSubstr("render it smaller"));
  EXPECT_THAT(claiming("displayWindow", 30'000, 1),
              HasSubstr("found 30000 x 30000 pixels, expected at most 134217728"));
  EXPECT_THAT(claiming("dataWindow", 1'000'000, 62'500), Not(IsEmpty()));
  EXPECT_THAT(claiming("displayWindow", 2'000'000'000, 1), Not(IsEmpty()));
}

TEST_F(PictureDecoderTest, HugePicturesOfOtherFormatsAreRefusedBeforeMemoryIsTaken) {
  const auto big_endian = [](std::uint32_t number) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift);
    return bytes;
  };
  const std::string size = big_endian(60'000);
  // A PNG's sum is not looked at before its size.
  Write("a.png", "png", OIIO::ImageSpec(2, 2, 3, OIIO::TypeUInt8), std::vector<float>(12));
  std::string png = ReadFile(Path("a.png"));
  png.replace(16, 8, size + size);
  WriteFile(Path("a.png"), png);
  EXPECT_NE(ProblemOf("a.png"), "");
  std::string tga("\0\0\x0a\0\0\0\0\0\0\0\0\0\x60\xea\x60\xea\x18\0", 18);  // 60,000 x 60,000, run-length encoded
  WriteFile(Path("a.tga"), tga + std::string(100, '\0'));
  EXPECT_THAT(ProblemOf("a.tga"), HasSubstr("found 60000 x 60000 pixels"));
  // A tile of 2^20 x 2^20 pixels.
  const auto tag = [&](int id, std::uint32_t value) {
    return std::string({static_cast<char>(id >> 8), static_cast<char>(id), 0, 4}) + big_endian(1) + big_endian(value);
  };
  WriteFile(Path("a.tif"), std::string("MM\0*\0\0\0\x08\0\x0a", 10) + tag(256, 8000) + tag(257, 8000) + tag(258, 8) +
                               tag(259, 1) + tag(262, 1) + tag(277, 1) + tag(322, 1 << 20) + tag(323, 1 << 20) +
                               tag(324, 8) + tag(325, 64) + big_endian(0) + std::string(64, '\0'));
  EXPECT_THAT(ProblemOf("a.tif"), HasSubstr("found chunks of 1048576 MiB"));
}

TEST_F(PictureDecoderTest, HugeChunksAreRefused) {
  OIIO::ImageSpec spec(20'000, 1, 40, OIIO::TypeFloat);
  spec.attribute("compression", "dwab");  // 256 rows a chunk
  spec.channelnames = {"Z"};
  for (int i = 1; i < 40; ++i) spec.channelnames.push_back("layer.c" + std::to_string(i));
  WriteRaw("a.exr", "openexr", spec, std::vector<float>(20'000 * 40, 1));
  EXPECT_THAT(ProblemOf("a.exr", kDepth), AllOf(HasSubstr("found chunks of 781 MiB, expected at most 512 MiB"),
                                                HasSubstr("render fewer channels into a file")));
}

}  // namespace
}  // namespace cosmos
