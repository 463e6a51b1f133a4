#include "media/pictures/picture_channels.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Kind = PictureChoice::Kind;

// The chosen channels by name, or `message; hint`.
std::string Choose(const std::vector<PicturePart>& parts, Kind kind, const std::string& layer = "") {
  try {
    const ChosenChannels chosen = ChooseChannels(parts, {kind, layer});
    std::vector<std::string> names;
    for (const int channel : chosen.channels) {
      names.push_back(parts[chosen.part].channels[static_cast<std::size_t>(channel)]);
    }
    return (parts.size() > 1 ? parts[chosen.part].name + ": " : "") + Join(names, " ");
  } catch (const Error& error) {
    return error.message() + "; " + error.hint();
  }
}
std::string Colour(const std::vector<std::string>& channels, const std::string& layer = "") {
  return Choose({{"", channels}}, Kind::kColour, layer);
}
std::string Depth(const std::vector<std::string>& channels, const std::string& layer = "") {
  return Choose({{"", channels}}, Kind::kDepth, layer);
}

TEST(ChooseChannels, OfColoursAsRenderersNameThem) {
  EXPECT_EQ(Colour({"R", "G", "B", "A", "Z", "diffuse.R", "diffuse.G", "diffuse.B"}), "R G B");
  EXPECT_EQ(Colour({"A", "B", "G", "R"}), "R G B");
  EXPECT_EQ(Colour({"r", "g", "b"}), "r g b");
  EXPECT_EQ(Colour({"rgba.red", "rgba.green", "rgba.blue", "spec.red", "spec.green", "spec.blue"}),
            "rgba.red rgba.green rgba.blue");
  EXPECT_EQ(Colour({"ViewLayer.Combined.R", "ViewLayer.Combined.G", "ViewLayer.Combined.B", "ViewLayer.DiffCol.R",
                    "ViewLayer.DiffCol.G", "ViewLayer.DiffCol.B", "ViewLayer.Depth.Z"}),
            "ViewLayer.Combined.R ViewLayer.Combined.G ViewLayer.Combined.B");
  EXPECT_EQ(Colour({"C.R", "C.G", "C.B", "N.X", "N.Y", "N.Z"}), "C.R C.G C.B");
  EXPECT_EQ(Colour({"anything.R", "anything.G", "anything.B", "Z"}), "anything.R anything.G anything.B");
}

TEST(ChooseChannels, OfGreyPictures) {
  EXPECT_EQ(Colour({"Y"}), "Y");
  EXPECT_EQ(Colour({"Y", "A"}), "Y");
  EXPECT_EQ(Colour({"mask"}), "mask");
  EXPECT_EQ(Colour({"X", "Y", "Z"}),
            "found the channels X, Y, Z; expected R, G and B, or Y; choose a channel with --layer");
}

TEST(ChooseChannels, OfALayerThatIsAskedFor) {
  const std::vector<std::string> blender = {"VL.Combined.R", "VL.Combined.G", "VL.Combined.B", "VL.AO.R",
                                            "VL.AO.G",       "VL.AO.B",       "VL.Depth.Z",    "Mist.V"};
  EXPECT_EQ(Colour(blender, "VL.AO"), "VL.AO.R VL.AO.G VL.AO.B");
  EXPECT_EQ(Colour(blender, "AO"), "VL.AO.R VL.AO.G VL.AO.B");
  EXPECT_EQ(Colour(blender, "vl.ao"), "VL.AO.R VL.AO.G VL.AO.B");
  EXPECT_EQ(Colour(blender, "Mist"), "Mist.V");
  EXPECT_EQ(Colour(blender, "VL.AO.G"), "VL.AO.G");
  EXPECT_EQ(Colour(blender, "Specular"),
            "it has no layer 'Specular'; found the layers VL.Combined, VL.AO, VL.Depth, Mist; choose one of them with "
            "--layer");
  EXPECT_EQ(Colour({"R", "G", "B"}, "AO"), "it has no layer 'AO'; found only the channels R, G, B; leave out --layer");
  EXPECT_THAT(Colour({"a.AO.R", "b.AO.R"}, "AO"), HasSubstr("the layer 'AO' could be any of a.AO, b.AO"));
}

TEST(ChooseChannels, OfSeveralLayersNeedsAWord) {
  EXPECT_EQ(Colour({"one.R", "one.G", "one.B", "two.R", "two.G", "two.B"}),
            "found several layers with colours: one, two; choose one of them with --layer");
}

TEST(ChooseChannels, OfParts) {
  const std::vector<PicturePart> parts = {{"rgba", {"R", "G", "B", "A"}},
                                          {"depth", {"Z"}},
                                          {"diffuse", {"diffuse.R", "diffuse.G", "diffuse.B"}},
                                          {"spec", {"R", "G", "B"}}};
  EXPECT_EQ(Choose(parts, Kind::kColour), "rgba: R G B");
  EXPECT_EQ(Choose(parts, Kind::kDepth), "depth: Z");
  EXPECT_EQ(Choose(parts, Kind::kColour, "diffuse"), "diffuse: diffuse.R diffuse.G diffuse.B");
  EXPECT_EQ(Choose(parts, Kind::kColour, "spec"), "spec: R G B");
  EXPECT_THAT(Choose(parts, Kind::kColour, "x"), HasSubstr("found the layers rgba, depth, diffuse, spec"));
  EXPECT_EQ(Choose({{"beauty", {"R", "G", "B"}}, {"depth", {"R"}}}, Kind::kDepth), "depth: R");
}

TEST(ChooseChannels, OfDepth) {
  EXPECT_EQ(Depth({"Z", "R", "G", "B", "A"}), "Z");
  EXPECT_EQ(Depth({"R", "G", "depth.Z"}), "depth.Z");
  EXPECT_EQ(Depth({"R", "depth.R"}), "depth.R");
  EXPECT_EQ(Depth({"C.R", "Pz"}), "Pz");
  EXPECT_EQ(Depth({"Y", "depth"}), "depth");
  EXPECT_EQ(Depth({"R", "G", "B"}), "R");
  EXPECT_EQ(Depth({"R", "N.X", "N.Y", "N.Z"}), "R");
  EXPECT_EQ(Depth({"whatever"}), "whatever");
  EXPECT_EQ(Depth({"VL.Combined.R", "VL.Combined.G", "VL.Combined.B", "VL.Depth.Z"}), "VL.Depth.Z");
  EXPECT_EQ(Depth({"Z", "far.Z"}, "far"), "far.Z");
  EXPECT_EQ(Depth({"Z", "P.camera"}, "P.camera"), "P.camera");
  EXPECT_THAT(Depth({"N.X", "N.Y", "N.Z"}),
              AllOf(HasSubstr("found no depth among its channels (N.X, N.Y, N.Z); expected Z, depth.Z, Y or R"),
                    HasSubstr("--layer depth=NAME")));
}

TEST(ChooseChannels, OfDeepParts) {
  const PicturePart deep = {"deep", {"R", "G", "B", "Z"}, true};
  EXPECT_THAT(Choose({deep}, Kind::kColour), HasSubstr("it is a deep EXR; flatten it"));
  EXPECT_EQ(Choose({deep, {"flat", {"R", "G", "B"}}}, Kind::kColour), "flat: R G B");
  EXPECT_THAT(Choose({deep, {"flat", {"R", "G", "B"}}}, Kind::kColour, "deep"), HasSubstr("it is a deep EXR"));
}

TEST(ChooseChannels, CutsLongLists) {
  std::vector<std::string> channels;
  for (int i = 0; i < 100; ++i) channels.push_back("layer" + std::to_string(i) + ".X");
  EXPECT_THAT(Colour(channels), HasSubstr("layer11.X, … (100 in all)"));
}

}  // namespace
}  // namespace cosmos
