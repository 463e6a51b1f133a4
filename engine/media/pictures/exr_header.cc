#include "media/pictures/exr_header.h"

#include <OpenEXR/ImfChannelList.h>
#include <OpenEXR/ImfHeader.h>
#include <OpenEXR/ImfMultiPartInputFile.h>
#include <OpenEXR/ImfPartType.h>
#include <OpenEXR/ImfRgbaFile.h>
#include <OpenEXR/ImfTileDescription.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "media/pictures/picture_limits.h"

namespace cosmos {
namespace {

bool IsDeep(const Imf::Header& header) {
  return header.hasType() && (header.type() == Imf::DEEPSCANLINE || header.type() == Imf::DEEPTILE);
}

std::int64_t WidthOf(const Imath::Box2i& box) { return std::int64_t{box.max.x} - box.min.x + 1; }
std::int64_t HeightOf(const Imath::Box2i& box) { return std::int64_t{box.max.y} - box.min.y + 1; }

// REQUIRES: the box was checked.
PictureWindow WindowOf(const Imath::Box2i& box) {
  return {box.min.x, box.min.y, static_cast<int>(WidthOf(box)), static_cast<int>(HeightOf(box))};
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

// A chunk is decoded with all of its channels, whichever is asked for.
std::int64_t ChunkBytes(const Imf::Header& header) {
  std::int64_t pixel = 0;
  for (auto channel = header.channels().begin(); channel != header.channels().end(); ++channel) {
    pixel += channel.channel().type == Imf::HALF ? 2 : 4;
  }
  const std::int64_t pixels = header.hasTileDescription()
                                  ? std::int64_t{header.tileDescription().xSize} * header.tileDescription().ySize
                                  : WidthOf(header.dataWindow()) * RowsOfChunk(header);
  return pixels * pixel;
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
    throw Error(ErrorCode::kInvalidInput,
                "it is damaged: " + Excerpt(name_end == text.npos ? text : text.substr(name_end + 3)),
                "render it again");
  }
}

}  // namespace

void CheckExrHeaders(const std::filesystem::path& file) {
  Reading([&] {
    const Imf::MultiPartInputFile input(file.c_str());
    for (int part = 0; part < input.parts(); ++part) {
      const Imf::Header& header = input.header(part);
      if (IsDeep(header)) continue;
      CheckSize(WidthOf(header.displayWindow()), HeightOf(header.displayWindow()));
      CheckSize(WidthOf(header.dataWindow()), HeightOf(header.dataWindow()));
      CheckChunk(ChunkBytes(header));
      if (!input.partComplete(part)) {
        throw Error(ErrorCode::kInvalidInput, "it is incomplete: a part of its pixels is missing", "render it again");
      }
    }
  });
}

std::optional<PicturePlacement> LuminanceChroma(const std::filesystem::path& file) {
  return Reading([&]() -> std::optional<PicturePlacement> {
    const Imf::MultiPartInputFile input(file.c_str());
    const Imf::Header& header = input.header(0);
    const Imf::Channel* const chroma = header.channels().findChannel("RY");
    if (IsDeep(header) || !header.channels().findChannel("Y") || !chroma || chroma->xSampling != 2) return std::nullopt;
    return PicturePlacement(WindowOf(header.displayWindow()), WindowOf(header.dataWindow()));
  });
}

void ReadLuminanceChroma(const std::filesystem::path& file, const std::function<void(int y, const float* row)>& take) {
  Reading([&] {
    Imf::RgbaInputFile input(file.c_str());
    const Imath::Box2i window = input.dataWindow();
    const auto width = static_cast<std::size_t>(WidthOf(window));
    std::vector<Imf::Rgba> pixels(width);
    std::vector<float> row(width * 3);
    for (int y = window.min.y; y <= window.max.y; ++y) {
      input.setFrameBuffer(pixels.data() - window.min.x, 1, 0);
      input.readPixels(y);
      for (std::size_t x = 0; x < width; ++x) {
        row[3 * x] = pixels[x].r;
        row[3 * x + 1] = pixels[x].g;
        row[3 * x + 2] = pixels[x].b;
      }
      take(y, row.data());
    }
  });
}

}  // namespace cosmos
