#pragma once

#include <OpenImageIO/imageio.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "media/media_fixture.h"
#include "media/pictures/picture_decoder.h"

namespace cosmos {

// What a display is sent, as light.
inline float Linear(float srgb) { return srgb <= 0.04045F ? srgb / 12.92F : std::pow((srgb + 0.055F) / 1.055F, 2.4F); }

// For tests: pictures that OpenImageIO writes, and what becomes of them.
class PictureFixture : public MediaFixture {
 protected:
  static constexpr int kWidth = 96;
  static constexpr int kHeight = 64;

  // Soft colours of 0 to 1 as they are shown, red, green and blue for each pixel; other ones for each frame.
  static std::vector<float> Colours(int frame = 0, int width = kWidth, int height = kHeight) {
    std::vector<float> colours;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float u = static_cast<float>(x) / static_cast<float>(width);
        const float v = static_cast<float>(y) / static_cast<float>(height);
        colours.insert(colours.end(), {0.1F + 0.7F * u, 0.2F + 0.6F * v, 0.3F + 0.05F * static_cast<float>(frame % 8)});
      }
    }
    return colours;
  }
  static std::vector<float> Light(std::vector<float> colours) {
    std::transform(colours.begin(), colours.end(), colours.begin(), Linear);
    return colours;
  }

  // Writes the values of 0 to 1 as the specification says; its channels beyond the third get `rest`.
  void Write(const std::string& name, const std::string& format, const OIIO::ImageSpec& spec,
             const std::vector<float>& colours, float rest = 0.5F) const {
    std::filesystem::create_directories(Path(name).parent_path());
    const auto channels = static_cast<std::size_t>(spec.nchannels);
    std::vector<float> pixels(colours.size() / 3 * channels, rest);
    for (std::size_t i = 0; i < colours.size() / 3; ++i) {
      for (std::size_t c = 0; c < std::min<std::size_t>(channels, 3); ++c)
        pixels[i * channels + c] = colours[i * 3 + c];
    }
    WriteRaw(name, format, spec, pixels);
  }
  // Writes the values of all channels.
  void WriteRaw(const std::string& name, const std::string& format, const OIIO::ImageSpec& spec,
                const std::vector<float>& pixels) const {
    const auto output = OIIO::ImageOutput::create(format);
    ASSERT_TRUE(output && output->open(Path(name).string(), spec)) << name;
    ASSERT_TRUE(output->write_image(OIIO::TypeFloat, pixels.data())) << output->geterror();
    ASSERT_TRUE(output->close()) << output->geterror();
  }

  DecodedPicture Decode(const std::string& name, const PictureChoice& choice = {}) {
    return decoder_.Decode({Path(name), choice, true});
  }
  // `message; hint`, or "" when the picture can be used.
  std::string ProblemOf(const std::string& name, const PictureChoice& choice = {}) {
    try {
      Decode(name, choice);
    } catch (const Error& error) {
      return error.message() + "; " + error.hint();
    }
    return "";
  }

  // The levels of colours as 0 to 1.
  static std::vector<float> LevelsOf(const DecodedPicture& picture) {
    std::vector<float> levels;
    for (const char level : picture.pixels)
      levels.push_back(static_cast<float>(static_cast<unsigned char>(level)) / 255);
    return levels;
  }
  // The floats of a depth picture.
  static std::vector<float> DepthOf(const DecodedPicture& picture) {
    std::vector<float> depth(picture.pixels.size() / sizeof(float));
    std::memcpy(depth.data(), picture.pixels.data(), picture.pixels.size());
    return depth;
  }

  PictureDecoder decoder_;
};

// The peak signal-to-noise ratio of values of 0 to 1, in dB.
inline double Psnr(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || a.empty()) return 0;
  double error = 0;
  for (std::size_t i = 0; i < a.size(); ++i) error += std::pow(a[i] - b[i], 2);
  return error == 0 ? 200 : -10 * std::log10(error / static_cast<double>(a.size()));
}

// A way in which OpenImageIO stores a picture.
struct StoredAs {
  std::string extension;
  std::string format;
  OIIO::TypeDesc type = OIIO::TypeUInt8;
  std::string compression = "";
  int tile = 0;      // 0: in rows
  int channels = 3;  // further ones than colours are alpha and others
  bool big = false;  // BigTIFF

  bool is_float() const { return type.is_floating_point(); }
  std::string ToString() const {
    return extension + " " + type.c_str() + " " + compression + (tile > 0 ? " tiled " : " ") +
           std::to_string(channels) + (big ? " BigTIFF" : "");
  }
  OIIO::ImageSpec Spec(int width, int height) const {
    OIIO::ImageSpec spec(width, height, channels, type);
    if (!compression.empty()) spec.attribute("compression", compression);
    spec.tile_width = spec.tile_height = tile;
    if (big) spec.attribute("tiff:bigtiff", 1);
    spec.attribute("oiio:UnassociatedAlpha", 1);
    spec.channelnames = {"R", "G", "B", "A", "Z", "N.X", "N.Y", "N.Z", "diffuse.B", "diffuse.G", "diffuse.R"};
    spec.channelnames.resize(static_cast<std::size_t>(channels));
    spec.alpha_channel = channels > 3 ? 3 : -1;
    return spec;
  }
};

// All that the program reads.
inline std::vector<StoredAs> AllWays() {
  std::vector<StoredAs> ways;
  for (const char* compression : {"none", "rle", "zip", "zips", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"}) {
    for (const OIIO::TypeDesc& type : {OIIO::TypeDesc(OIIO::TypeHalf), OIIO::TypeDesc(OIIO::TypeFloat)}) {
      for (const int tile : {0, 32}) {
        for (const int channels : {3, 4, 11}) ways.push_back({"exr", "openexr", type, compression, tile, channels});
      }
    }
  }
  for (const char* compression : {"none", "lzw", "zip", "packbits"}) {
    for (const OIIO::TypeDesc& type :
         {OIIO::TypeDesc(OIIO::TypeUInt8), OIIO::TypeDesc(OIIO::TypeUInt16), OIIO::TypeDesc(OIIO::TypeFloat)}) {
      for (const int tile : {0, 32}) {
        ways.push_back({"tif", "tiff", type, compression, tile});
        ways.push_back({"tif", "tiff", type, compression, tile, 4, true});
      }
    }
  }
  ways.push_back({"tif", "tiff", OIIO::TypeUInt8, "jpeg"});
  ways.push_back({"tif", "tiff", OIIO::TypeHalf, "zip"});
  ways.push_back({"tif", "tiff", OIIO::TypeUInt32, "zip"});
  for (const int channels : {3, 4}) {
    ways.push_back({"png", "png", OIIO::TypeUInt8, "", 0, channels});
    ways.push_back({"png", "png", OIIO::TypeUInt16, "", 0, channels});
    ways.push_back({"tga", "targa", OIIO::TypeUInt8, "none", 0, channels});
    ways.push_back({"tga", "targa", OIIO::TypeUInt8, "rle", 0, channels});
    ways.push_back({"dpx", "dpx", OIIO::TypeUInt8, "", 0, channels});
    ways.push_back({"dpx", "dpx", OIIO::TypeUInt16, "", 0, channels});
    ways.push_back({"bmp", "bmp", OIIO::TypeUInt8, "", 0, channels});
  }
  ways.push_back({"jpg", "jpeg", OIIO::TypeUInt8, "jpeg:98"});
  ways.push_back({"webp", "webp", OIIO::TypeUInt8, "webp:98"});
  return ways;
}

}  // namespace cosmos
