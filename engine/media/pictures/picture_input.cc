#include "media/pictures/picture_input.h"

#include <algorithm>
#include <mutex>

#include "core/error.h"
#include "core/text.h"
#include "media/pictures/picture_limits.h"

namespace cosmos {
namespace {

constexpr int kRows = 256;  // that are read at once, as many as any chunk of an EXR has
constexpr std::int64_t kBandBytes = std::int64_t{64} << 20;  // unless these rows are larger
constexpr int kImageMegabytes = 16384;                       // of all channels

[[noreturn]] void Refuse(const std::string& message, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, message, hint);
}

// The limits of OpenImageIO, for what a reader does before it gives a header to be checked. Pictures are decoded side
// by side by several processes, and each of them by one thread.
void LimitReaders() {
  static std::once_flag once;
  std::call_once(once, [] {
    OIIO::attribute("limits:channels", kMaxChannels);
    OIIO::attribute("limits:imagesize_MB", kImageMegabytes);
    OIIO::attribute("threads", 1);
    OIIO::attribute("exr_threads", -1);
  });
}

// Throws what a reader complains of, without the file's name.
[[noreturn]] void RefuseWithComplaint(const std::string& what, OIIO::ImageInput* input,
                                      const std::filesystem::path& file) {
  std::string text = input->geterror();
  const std::string quoted = "\"" + file.string() + "\"";
  for (const auto& [name, instead] : {std::pair(" (" + quoted + ")", ""), std::pair(quoted, "it")}) {
    for (std::size_t at = text.find(name); at != text.npos; at = text.find(name))
      text.replace(at, name.size(), instead);
  }
  if (text.find("nsufficient memory") != text.npos) {
    Refuse("it needs more memory than a picture may take", "render it smaller");
  }
  Refuse(what + (text.empty() ? "" : ": " + Excerpt(text)), "render it again, or save it in a common form");
}

OIIO::ImageSpec Settings() {
  OIIO::ImageSpec settings;
  settings.attribute("oiio:UnassociatedAlpha", 1);  // leaves colours as they are stored
  return settings;
}

}  // namespace

PictureInput::PictureInput(const std::filesystem::path& file, const std::string& format)
    : file_(file), input_((LimitReaders(), OIIO::ImageInput::create(format))) {
  if (!input_) Refuse("OpenImageIO on this machine cannot read its format, " + format, "save it as PNG or EXR");
  OIIO::ImageSpec first;
  if (!input_->open(file.string(), first, Settings())) {
    RefuseWithComplaint("it cannot be read", input_.get(), file_);
  }
  if (format == "webp" && first.alpha_channel >= 0) {
    Refuse("it is a WebP with transparency, whose colours OpenImageIO changes", "save it without alpha, or as PNG");
  }
  const bool exr = format == "openexr";
  for (int part = 0; part == 0 || exr; ++part) {
    if (!input_->seek_subimage(part, 0)) break;
    specs_.push_back(input_->spec());
    const OIIO::ImageSpec& spec = specs_.back();
    if (!exr) {  // a place on a page, as TIFF and PNG have it, is none on the picture
      specs_.back().full_x = spec.x;
      specs_.back().full_y = spec.y;
      specs_.back().full_width = spec.width;
      specs_.back().full_height = spec.height;
    }
    parts_.push_back(
        {exr ? std::string(spec.get_string_attribute("oiio:subimagename")) : "", spec.channelnames, spec.deep});
    if (spec.deep) continue;
    CheckSize(spec.width, spec.height);
    CheckSize(spec.full_width, spec.full_height);
    CheckChunk(spec.tile_width == 0 ? 0
                                    : static_cast<std::int64_t>(spec.tile_width) * spec.tile_height *
                                          static_cast<std::int64_t>(spec.pixel_bytes(true)));
  }
  (void)input_->geterror();  // of the part behind the last
  if (parts_.size() == 1) parts_[0].name.clear();
}

PictureInput::~PictureInput() = default;

bool PictureInput::IsFloat(std::size_t part, int channel) const {
  return specs_[part].channelformat(channel).is_floating_point();
}

bool PictureInput::IsHalf(std::size_t part, int channel) const {
  return specs_[part].channelformat(channel) == OIIO::TypeHalf;
}

PicturePlacement PictureInput::Placement(std::size_t part) const {
  const OIIO::ImageSpec& spec = specs_[part];
  const int orientation = spec.get_int_attribute("Orientation", 1);
  return {{spec.full_x, spec.full_y, spec.full_width, spec.full_height},
          {spec.x, spec.y, spec.width, spec.height},
          orientation >= 1 && orientation <= 8 ? orientation : 1};
}

void PictureInput::ReadRows(std::size_t part, const std::vector<int>& channels,
                            const std::function<void(int, const float*)>& take) {
  const OIIO::ImageSpec& spec = specs_[part];
  const auto [first, last] = std::minmax_element(channels.begin(), channels.end());
  const std::size_t span = static_cast<std::size_t>(*last - *first + 1);
  const auto width = static_cast<std::size_t>(spec.width);
  const std::int64_t row_bytes = static_cast<std::int64_t>(width * span * sizeof(float));
  int rows = static_cast<int>(std::clamp<std::int64_t>(kBandBytes / row_bytes, 1, kRows));
  const bool tiled = spec.tile_width > 0;
  if (tiled) rows = std::max(1, rows / spec.tile_height) * spec.tile_height;
  rows = std::min(rows, spec.height);

  std::vector<float> band(static_cast<std::size_t>(rows) * width * span);
  std::vector<float> chosen(width * channels.size());
  const int index = static_cast<int>(part), end = spec.y + spec.height;
  for (int top = spec.y; top < end; top += rows) {
    const int bottom = std::min(top + rows, end);
    const bool read =
        tiled ? input_->read_tiles(index, 0, spec.x, spec.x + spec.width, top, bottom, 0, 1, *first, *last + 1,
                                   OIIO::TypeFloat, band.data())
              : input_->read_scanlines(index, 0, top, bottom, 0, *first, *last + 1, OIIO::TypeFloat, band.data());
    if (!read || input_->has_error()) RefuseWithComplaint("it is incomplete or damaged", input_.get(), file_);
    for (int y = top; y < bottom; ++y) {
      const float* const row = &band[static_cast<std::size_t>(y - top) * width * span];
      for (std::size_t c = 0; c < channels.size(); ++c) {
        const auto offset = static_cast<std::size_t>(channels[c] - *first);
        for (std::size_t x = 0; x < width; ++x) chosen[x * channels.size() + c] = row[x * span + offset];
      }
      take(y, chosen.data());
    }
  }
}

}  // namespace cosmos
