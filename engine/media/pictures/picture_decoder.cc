#include "media/pictures/picture_decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "core/error.h"
#include "media/pictures/exr_header.h"
#include "media/pictures/jpeg_header.h"
#include "media/pictures/picture_format.h"

namespace cosmos {
namespace {

constexpr float kNothing = std::numeric_limits<float>::infinity();
constexpr float kHuge = 1e9F;          // renderers write 1e10, 1e30, … for "no surface"
constexpr float kLargestHalf = 65504;  // and this where the channel is a half

// A video has 8 bits, and ffmpeg would make 236 of the white of more bits, which is 235.
std::uint8_t Level(float value) {
  if (!(value > 0)) return 0;  // also what is no number
  return value >= 1 ? 255 : static_cast<std::uint8_t>(value * 255 + 0.5F);
}

bool IsNothing(float depth, bool half) {
  return !std::isfinite(depth) || depth == 0 || std::fabs(depth) >= kHuge || (half && depth >= kLargestHalf);
}

// Rows of colours become those of the picture.
class ColourSink {
 public:
  // `keep`: with the pixels.
  ColourSink(const PicturePlacement& placement, const ColourConversion& conversion, bool keep)
      : placement_(placement), conversion_(conversion), row_(static_cast<std::size_t>(placement.data().width) * 3) {
    if (keep) pixels_.resize(placement.pixels() * sizeof(Pixel));
  }

  // `row` has `channels` values a pixel, 1 or 3.
  void Take(int y, const float* row, std::size_t channels) {
    if (pixels_.empty()) return;
    for (std::size_t i = 0; i < row_.size(); ++i) row_[i] = row[channels == 3 ? i : i / 3];
    if (conversion_.changes()) conversion_.Apply(row_.data(), row_.size() / 3);
    placement_.ForRow(y, [&](std::size_t to, std::size_t from) {
      const Pixel pixel = {Level(row_[3 * from]), Level(row_[3 * from + 1]), Level(row_[3 * from + 2])};
      std::memcpy(&pixels_[to * sizeof pixel], &pixel, sizeof pixel);
    });
  }

  // The picture with the pixels. Called once, last.
  DecodedPicture Finish(const std::string& space) {
    return {placement_.width(), placement_.height(), false, space, {}, std::move(pixels_)};
  }

 private:
  using Pixel = std::array<std::uint8_t, 3>;

  const PicturePlacement placement_;
  const ColourConversion& conversion_;
  std::vector<float> row_;
  std::string pixels_;
};

// Grey of colours, as BT.601 weighs them.
float Grey(const float* pixel, std::size_t channels) {
  return channels == 1 ? pixel[0] : 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
}

void Widen(float depth, std::optional<DepthRange>* range) {
  if (!*range) *range = DepthRange{depth, depth};
  (*range)->near = std::min<double>((*range)->near, depth);
  (*range)->far = std::max<double>((*range)->far, depth);
}

// Which channels of a format other than EXR are the picture: alpha is behind them.
ChosenChannels PlainChannels(const std::vector<PicturePart>& parts, const PictureChoice& choice) {
  if (!choice.layer.empty()) {
    throw Error(ErrorCode::kInvalidInput, "it has no layers, because it is no EXR file", "leave out --layer for it");
  }
  return {0, parts[0].channels.size() < 3 ? std::vector<int>{0} : std::vector<int>{0, 1, 2}};
}

DecodedPicture DecodeDepth(PictureInput* input, const ChosenChannels& chosen, bool wants_pixels) {
  const PicturePlacement placement = input->Placement(chosen.part);
  DecodedPicture picture;
  picture.width = placement.width();
  picture.height = placement.height();
  picture.distances = input->IsFloat(chosen.part, chosen.channels[0]);
  // Of a picture in colours with distances in all of them, red is one.
  const std::vector<int> channels = picture.distances ? std::vector<int>{chosen.channels[0]} : chosen.channels;
  const bool half = input->IsHalf(chosen.part, channels[0]);
  std::vector<float> depth(wants_pixels ? placement.pixels() : 0, picture.distances ? kNothing : 0);
  input->ReadRows(chosen.part, channels, [&](int y, const float* row) {
    placement.ForRow(y, [&](std::size_t to, std::size_t from) {
      const float value = Grey(row + from * channels.size(), channels.size());
      if (picture.distances && IsNothing(value, half)) return;
      if (picture.distances) Widen(value, &picture.depth);
      if (wants_pixels) depth[to] = value;
    });
  });
  picture.pixels.assign(reinterpret_cast<const char*>(depth.data()), depth.size() * sizeof(float));
  return picture;
}

}  // namespace

void PictureDecoder::CheckColourSpace(const std::string& space) {
  if (!space.empty()) ConversionOf(space);
}

const ColourConversion& PictureDecoder::ConversionOf(const std::string& space) {
  if (!conversion_ || space != space_) {
    conversion_.reset();
    conversion_.emplace(space);
    space_ = space;
  }
  return *conversion_;
}

DecodedPicture PictureDecoder::DecodeColour(PictureInput* input, const ChosenChannels& chosen,
                                            const PictureQuery& query) {
  const bool is_float = input->IsFloat(chosen.part, chosen.channels[0]);
  const std::string by_picture = is_float ? kLinearSrgb : kSrgb;
  const std::string space = query.choice.colorspace.empty() ? by_picture : query.choice.colorspace;
  ColourSink sink(input->Placement(chosen.part), ConversionOf(space), query.wants_pixels);
  input->ReadRows(chosen.part, chosen.channels,
                  [&](int y, const float* row) { sink.Take(y, row, chosen.channels.size()); });
  return sink.Finish(space);
}

DecodedPicture PictureDecoder::DecodeLuminanceChroma(const PicturePlacement& placement, const PictureQuery& query) {
  const std::string space = query.choice.colorspace.empty() ? kLinearSrgb : query.choice.colorspace;
  ColourSink sink(placement, ConversionOf(space), query.wants_pixels);
  ReadLuminanceChroma(query.file, [&](int y, const float* row) { sink.Take(y, row, 3); });
  return sink.Finish(space);
}

DecodedPicture PictureDecoder::Decode(const PictureQuery& query) try {
  const std::string format = FormatOf(query.file);
  const bool exr = format == "openexr", depth = query.choice.kind == PictureChoice::Kind::kDepth;
  if (exr) CheckExrHeaders(query.file);
  if (format == "jpeg") CheckJpegHeader(query.file);
  if (exr && !depth && query.choice.layer.empty()) {
    if (const auto placement = LuminanceChroma(query.file)) return DecodeLuminanceChroma(*placement, query);
  }
  PictureInput input(query.file, format);
  const ChosenChannels chosen =
      exr ? ChooseChannels(input.parts(), query.choice) : PlainChannels(input.parts(), query.choice);
  return depth ? DecodeDepth(&input, chosen, query.wants_pixels) : DecodeColour(&input, chosen, query);
} catch (const std::bad_alloc&) {
  throw Error(ErrorCode::kInvalidInput, "it needs more memory than a picture may take", "render it smaller");
}

}  // namespace cosmos
