#include "media/exr_picture.h"

#include <OpenEXR/ImfChannelList.h>
#include <OpenEXR/ImfFrameBuffer.h>
#include <OpenEXR/ImfHeader.h>
#include <OpenEXR/ImfInputPart.h>
#include <OpenEXR/ImfMultiPartInputFile.h>
#include <OpenEXR/ImfPartType.h>
#include <OpenEXR/ImfTileDescription.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cosmos/media_input.hpp>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr float kNothing = std::numeric_limits<float>::infinity();
constexpr float kHuge = 1e9F;          // renderers write 1e10, 1e30, … for "no surface"
constexpr float kLargestHalf = 65504;  // and this where the channel is a half
constexpr int kMaxSide = 65536;        // of a picture; a damaged header can say anything
constexpr int kMaxTile = 16384;
constexpr std::int64_t kMaxChunk = std::int64_t{512} << 20;  // bytes that are decoded at once
constexpr int kStrip = 256;                                  // rows that are read at once, as many as any chunk has

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

// The size of a window. A header can claim any; memory is taken only after this.
Imath::V2i SizeOf(const Imath::Box2i& box) {
  const std::int64_t width = std::int64_t{box.max.x} - box.min.x + 1;
  const std::int64_t height = std::int64_t{box.max.y} - box.min.y + 1;
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) Refuse("its header says an impossible size");
  if (width * height > sdk::kMaxPixels) {
    Refuse(fmt::format("found {} x {} pixels, expected at most {} (such as 16384 x 8192); render it smaller", width,
                       height, sdk::kMaxPixels));
  }
  return {static_cast<int>(width), static_cast<int>(height)};
}

// How many rows OpenEXR decodes at once.
std::int64_t RowsOfChunk(const Imf::Header& header) {
  switch (header.compression()) {
    case Imf::ZIP_COMPRESSION:
    case Imf::PXR24_COMPRESSION:
      return 16;
    case Imf::PIZ_COMPRESSION:
    case Imf::B44_COMPRESSION:
    case Imf::B44A_COMPRESSION:
    case Imf::DWAA_COMPRESSION:
      return 32;
    case Imf::DWAB_COMPRESSION:
      return 256;
    default:
      return 1;
  }
}

// OpenEXR decodes a chunk with all of its channels, whichever is asked for.
void CheckChunk(const Imf::Header& header, std::int64_t width) {
  std::int64_t pixel = 0;
  for (auto channel = header.channels().begin(); channel != header.channels().end(); ++channel) {
    pixel += channel.channel().type == Imf::HALF ? 2 : 4;
  }
  const bool tiled = header.hasTileDescription();
  const std::int64_t pixels = tiled ? std::int64_t{header.tileDescription().xSize} * header.tileDescription().ySize
                                    : width * RowsOfChunk(header);
  if (pixels * pixel > kMaxChunk) {
    Refuse(fmt::format("found chunks of {} MiB, expected at most {} MiB; render fewer channels into a file",
                       (pixels * pixel) >> 20, kMaxChunk >> 20));
  }
}

// The first part unless it is deep; what is incomplete or too large is refused.
void CheckPart(const Imf::MultiPartInputFile& file, int part) {
  const Imf::Header& header = file.header(part);
  if (IsDeep(header)) Refuse("it is a deep EXR; render a flat one");
  SizeOf(header.displayWindow());
  CheckChunk(header, SizeOf(header.dataWindow()).x);
  if (!file.partComplete(part)) Refuse("it is incomplete");
}

// Calls `take(y, pixels)` with each row of a channel in the part's data window, from the top.
template <typename Take>
void ReadRows(Imf::MultiPartInputFile* file, int part, const std::string& channel, const Take& take) {
  Imf::InputPart input(*file, part);
  const Imath::Box2i window = input.header().dataWindow();
  const auto width = static_cast<std::size_t>(SizeOf(window).x);
  std::vector<float> pixels(width * kStrip);
  for (int top = window.min.y; top <= window.max.y; top += kStrip) {
    const Imath::Box2i strip({window.min.x, top}, {window.max.x, std::min(top + kStrip - 1, window.max.y)});
    Imf::FrameBuffer buffer;
    buffer.insert(channel, Imf::Slice::Make(Imf::FLOAT, pixels.data(), strip));
    input.setFrameBuffer(buffer);
    input.readPixels(strip.min.y, strip.max.y);
    for (int y = strip.min.y; y <= strip.max.y; ++y) take(y, &pixels[static_cast<std::size_t>(y - top) * width]);
  }
}

// The limits of OpenEXR itself, which reads the header and its table before anything here can look at them.
void LimitHeaders() {
  static std::once_flag once;
  std::call_once(once, [] {
    Imf::Header::setMaxImageSize(kMaxSide, kMaxSide);
    Imf::Header::setMaxTileSize(kMaxTile, kMaxTile);
  });
}

// Calls `read` and turns what OpenEXR throws into an Error.
template <typename Read>
auto Reading(const Read& read) {
  LimitHeaders();
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
    ReadRows(&input, 0, rgb ? "R" : "Y", [](int, const float*) {});
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
    const Imath::V2i size = SizeOf(shown);
    DepthPicture picture{size.x, size.y, {}};
    // The data window may be smaller than the picture, or larger.
    picture.depth.assign(static_cast<std::size_t>(size.x) * static_cast<std::size_t>(size.y), kNothing);
    const int left = std::max(shown.min.x, window.min.x), right = std::min(shown.max.x, window.max.x);
    ReadRows(&input, place.part, place.name, [&](int y, const float* row) {
      if (y < shown.min.y || y > shown.max.y) return;
      float* const to = &picture.depth[static_cast<std::size_t>(y - shown.min.y) * static_cast<std::size_t>(size.x)];
      for (int x = left; x <= right; ++x) {
        const float depth = row[x - window.min.x];
        if (!IsNothing(depth, half)) to[x - shown.min.x] = depth;
      }
    });
    return picture;
  });
}

}  // namespace cosmos
