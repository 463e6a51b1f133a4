#include "media/exr_picture.h"

#include <OpenEXR/ImfChannelList.h>
#include <OpenEXR/ImfFrameBuffer.h>
#include <OpenEXR/ImfHeader.h>
#include <OpenEXR/ImfInputPart.h>
#include <OpenEXR/ImfMultiPartInputFile.h>
#include <OpenEXR/ImfPartType.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr float kNothing = std::numeric_limits<float>::infinity();
constexpr float kHuge = 1e9F;          // renderers write 1e10, 1e30, … for "no surface"
constexpr float kLargestHalf = 65504;  // and this where the channel is a half
constexpr int kLongestSide = 65536;    // of a picture; a damaged header can say anything

[[noreturn]] void Refuse(const std::string& reason) { throw Error(ErrorCode::kInvalidInput, reason); }

std::string SmallLetters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// How likely the channel holds the depth; the least is the likeliest. Nothing: it does not.
std::optional<int> DepthRank(const std::string& name, const Imf::ChannelList& channels) {
  const std::string small = SmallLetters(name);
  const std::size_t dot = name.rfind('.');
  const std::string layer = name.substr(0, dot == name.npos ? 0 : dot + 1);
  // With an X beside it, Z is a coordinate, as in a pass of normals.
  const bool coordinate = channels.findChannel(layer + "X") != nullptr || channels.findChannel(layer + "x") != nullptr;
  if (small == "z" && !coordinate) return 0;
  if (small.ends_with(".z") && !coordinate) return 1;
  if (small == "depth" || small == "zdepth" || small == "pz" || small.ends_with(".depth")) return 2;
  if (small.find("depth") != small.npos && (small.ends_with(".y") || small.ends_with(".r"))) return 3;
  if (small == "y") return 4;
  if (small == "r") return 5;
  const bool only_one = ++channels.begin() == channels.end();
  return only_one ? std::optional(6) : std::nullopt;
}

std::string NamesOf(const Imf::ChannelList& channels) {
  std::vector<std::string> names;
  for (auto channel = channels.begin(); channel != channels.end(); ++channel) names.emplace_back(channel.name());
  return Join(names, ", ");
}

bool IsDeep(const Imf::Header& header) {
  return header.hasType() && (header.type() == Imf::DEEPSCANLINE || header.type() == Imf::DEEPTILE);
}

// The first part unless it is deep; incomplete files are refused.
void CheckPart(const Imf::MultiPartInputFile& file, int part) {
  if (IsDeep(file.header(part))) Refuse("it is a deep EXR; render a flat one");
  if (!file.partComplete(part)) Refuse("it is incomplete");
}

Imath::V2i SizeOf(const Imath::Box2i& box) {
  const Imath::V2i size = box.size() + Imath::V2i(1, 1);
  if (size.x > kLongestSide || size.y > kLongestSide) Refuse("its header says an impossible size");
  return size;
}

// The pixels of a channel in the part's data window.
std::vector<float> ReadChannel(Imf::MultiPartInputFile* file, int part, const std::string& channel) {
  Imf::InputPart input(*file, part);
  const Imath::Box2i window = input.header().dataWindow();
  const Imath::V2i size = SizeOf(window);
  std::vector<float> pixels(static_cast<std::size_t>(size.x) * static_cast<std::size_t>(size.y));
  Imf::FrameBuffer buffer;
  buffer.insert(channel, Imf::Slice::Make(Imf::FLOAT, pixels.data(), window));
  input.setFrameBuffer(buffer);
  input.readPixels(window.min.y, window.max.y);
  return pixels;
}

// Calls `read` and turns what OpenEXR throws into an Error.
template <typename Read>
auto Reading(const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    // OpenEXR's messages begin with `Cannot read image file "NAME". `, and may have several lines.
    const std::string text = error.what();
    const std::size_t name_end = text.find("\". ");
    Refuse(SplitLines(name_end == text.npos ? text : text.substr(name_end + 3)).front());
  }
}

struct ChannelPlace {
  int part = 0;
  std::string name;
};

ChannelPlace FindDepth(const Imf::MultiPartInputFile& file) {
  std::optional<int> best;
  ChannelPlace place;
  std::vector<std::string> all;
  for (int part = 0; part < file.parts(); ++part) {
    const Imf::ChannelList& channels = file.header(part).channels();
    all.push_back(NamesOf(channels));
    for (auto channel = channels.begin(); channel != channels.end(); ++channel) {
      const auto rank = DepthRank(channel.name(), channels);
      if (rank && (!best || *rank < *best)) {
        best = rank;
        place = {part, channel.name()};
      }
    }
  }
  if (!best) Refuse("found no depth among its channels (" + Join(all, "; ") + "); expected Z, depth.Z, Y or R");
  return place;
}

bool IsNothing(float depth, bool half) {
  return !std::isfinite(depth) || depth == 0 || std::fabs(depth) >= kHuge || (half && depth >= kLargestHalf);
}

}  // namespace

ExrSize CheckExrColour(const std::filesystem::path& file) {
  return Reading([&] {
    Imf::MultiPartInputFile input(file.c_str());
    CheckPart(input, 0);
    const Imf::ChannelList& channels = input.header(0).channels();
    const bool rgb = channels.findChannel("R") && channels.findChannel("G") && channels.findChannel("B");
    const bool grey = channels.findChannel("Y") != nullptr;
    if (!rgb && !grey) Refuse("found the channels " + NamesOf(channels) + "; expected R, G and B, or Y");
    ReadChannel(&input, 0, rgb ? "R" : "Y");
    const Imath::V2i size = SizeOf(input.header(0).displayWindow());
    return ExrSize{size.x, size.y};
  });
}

DepthPicture ReadExrDepth(const std::filesystem::path& file) {
  return Reading([&] {
    Imf::MultiPartInputFile input(file.c_str());
    const ChannelPlace place = FindDepth(input);
    CheckPart(input, place.part);
    const Imf::Header& header = input.header(place.part);
    const Imath::Box2i shown = header.displayWindow();
    const Imath::Box2i window = header.dataWindow();
    const bool half = header.channels().findChannel(place.name)->type == Imf::HALF;
    const std::vector<float> pixels = ReadChannel(&input, place.part, place.name);
    const Imath::V2i size = SizeOf(shown);
    DepthPicture picture{size.x, size.y, {}};
    // The data window may be smaller than the picture, or larger.
    picture.depth.assign(static_cast<std::size_t>(size.x) * static_cast<std::size_t>(size.y), kNothing);
    const auto stride = static_cast<std::size_t>(window.max.x - window.min.x + 1);
    for (int y = std::max(shown.min.y, window.min.y); y <= std::min(shown.max.y, window.max.y); ++y) {
      for (int x = std::max(shown.min.x, window.min.x); x <= std::min(shown.max.x, window.max.x); ++x) {
        const float depth =
            pixels[static_cast<std::size_t>(y - window.min.y) * stride + static_cast<std::size_t>(x - window.min.x)];
        if (IsNothing(depth, half)) continue;
        picture.depth[static_cast<std::size_t>(y - shown.min.y) * static_cast<std::size_t>(size.x) +
                      static_cast<std::size_t>(x - shown.min.x)] = depth;
      }
    }
    return picture;
  });
}

}  // namespace cosmos
