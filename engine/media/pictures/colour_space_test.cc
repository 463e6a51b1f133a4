#include "media/pictures/colour_space.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <array>

#include "core/error.h"
#include "core/files.h"
#include "media/media_fixture.h"
#include "media/pictures/picture_fixture.h"

namespace cosmos {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Colour = std::array<float, 3>;

class ColourSpaceTest : public MediaFixture {
 protected:
  ColourSpaceTest() { ::unsetenv("OCIO"); }
  ~ColourSpaceTest() override { ::unsetenv("OCIO"); }

  static Colour Shown(const std::string& space, Colour colour) {
    ColourConversion(space).Apply(colour.data(), 1);
    return colour;
  }
  // The light of linear Rec.709 that is shown.
  static Colour LightOf(const std::string& space, Colour colour) {
    colour = Shown(space, colour);
    for (float& value : colour) value = Linear(value);
    return colour;
  }
  std::string ProblemOf(const std::string& space) const {
    try {
      const ColourConversion conversion(space);
    } catch (const Error& error) {
      return error.message() + "; " + error.hint();
    }
    return "";
  }
  void UseConfig(const std::string& text) const {
    WriteFile(Path("config.ocio"), text);
    ::setenv("OCIO", Path("config.ocio").c_str(), 1);
  }
};

void ExpectNear(const Colour& found, const Colour& expected, float tolerance) {
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "channel " << i;
}

TEST_F(ColourSpaceTest, LinearSrgbGetsTheCurveOfTheStandard) {
  // IEC 61966-2-1: 0.0031308 is where the line ends.
  ExpectNear(Shown("linear-srgb", {0, 0.0031308F, 0.18F}), {0, 0.04045F, 0.46135F}, 1e-4F);
  ExpectNear(Shown("linear-srgb", {0.214041F, 0.5F, 1}), {0.5F, 0.735357F, 1}, 1e-4F);
}

// Values of ACES's own matrices, as its reference implementation has them: AP1 to Rec.709 with D60 to D65 by Bradford.
TEST_F(ColourSpaceTest, AcesIsConvertedByItsMatrices) {
  ExpectNear(LightOf("acescg", {0.18F, 0.18F, 0.18F}), {0.18F, 0.18F, 0.18F}, 1e-4F);
  ExpectNear(
      LightOf("acescg", {0.5F, 0.25F, 0.125F}),
      {0.5F * 1.70505F - 0.25F * 0.62179F - 0.125F * 0.08326F, -0.5F * 0.13026F + 0.25F * 1.14080F - 0.125F * 0.01055F,
       -0.5F * 0.02400F - 0.25F * 0.12897F + 0.125F * 1.15297F},
      2e-4F);
  ExpectNear(LightOf("aces2065-1", {0.18F, 0.18F, 0.18F}), {0.18F, 0.18F, 0.18F}, 1e-4F);
  ExpectNear(LightOf("aces2065-1", {0.4F, 0.3F, 0.2F}),
             {0.4F * 2.52169F - 0.3F * 1.13413F - 0.2F * 0.38756F, -0.4F * 0.27648F + 0.3F * 1.37272F - 0.2F * 0.09624F,
              -0.4F * 0.01538F - 0.3F * 0.15298F + 0.2F * 1.16835F},
             2e-4F);
}

TEST_F(ColourSpaceTest, WhatIsShownAlreadyStaysAsItIs) {
  EXPECT_FALSE(ColourConversion("srgb").changes());
  EXPECT_FALSE(ColourConversion("raw").changes());
}

TEST_F(ColourSpaceTest, AnUnknownNameIsRefusedWithThoseThatThereAre) {
  EXPECT_EQ(
      ProblemOf("rec2020"),
      "there is no colour space 'rec2020'; expected one of linear-srgb, acescg, aces2065-1, srgb, raw; for those of "
      "an OpenColorIO configuration, set the variable OCIO to its file");
}

constexpr const char* kConfig = R"(ocio_profile_version: 2
roles: {default: raw, scene_linear: lin, aces_interchange: aces}
file_rules: [!<Rule> {name: Default, colorspace: default}]
displays: {d: [!<View> {name: v, colorspace: raw}]}
colorspaces:
  - !<ColorSpace> {name: aces}
  - !<ColorSpace> {name: raw, isdata: true}
  - !<ColorSpace> {name: lin, to_scene_reference: !<BuiltinTransform> {style: ACEScg_to_ACES2065-1}}
  - !<ColorSpace> {name: half, to_scene_reference: !<MatrixTransform> {matrix: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]}}
)";

TEST_F(ColourSpaceTest, AConfigurationsNamesAreKnown) {
  UseConfig(kConfig);
  ExpectNear(LightOf("half", {0.09F, 0.09F, 0.09F}), {0.18F, 0.18F, 0.18F}, 1e-4F);
  ExpectNear(LightOf("lin", {0.5F, 0.25F, 0.125F}), LightOf("acescg", {0.5F, 0.25F, 0.125F}), 1e-4F);
  EXPECT_THAT(ProblemOf("hlaf"),
              AllOf(HasSubstr("config.ocio' has no colour space 'hlaf'"), HasSubstr("did you mean 'half'?")));
}

TEST_F(ColourSpaceTest, AnOldConfigurationSaysWhatSrgbIsByItsName) {
  const std::string old = R"(ocio_profile_version: 1
roles: {default: raw}
displays: {d: [!<View> {name: v, colorspace: raw}]}
colorspaces:
  - !<ColorSpace> {name: raw}
  - !<ColorSpace> {name: lin, to_reference: !<MatrixTransform> {matrix: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]}}
)";
  UseConfig(old);
  EXPECT_THAT(ProblemOf("lin"), HasSubstr("does not say what sRGB is"));
  UseConfig(old + "  - !<ColorSpace> {name: sRGB}\n");
  ExpectNear(Shown("lin", {0.1F, 0.2F, 0.3F}), {0.2F, 0.4F, 0.6F}, 1e-5F);
}

TEST_F(ColourSpaceTest, AConfigurationThatCannotBeReadIsNamed) {
  UseConfig("no configuration");
  EXPECT_THAT(ProblemOf("lin"), HasSubstr("OpenColorIO cannot use the colour space 'lin'"));
  ::setenv("OCIO", "/nonexistent/config.ocio", 1);
  EXPECT_THAT(ProblemOf("lin"), HasSubstr("/nonexistent/config.ocio"));
  EXPECT_EQ(ProblemOf("acescg"), "");  // which needs none
}

}  // namespace
}  // namespace cosmos
