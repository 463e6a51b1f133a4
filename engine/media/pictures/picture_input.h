#pragma once

#include <OpenImageIO/imageio.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/pictures/picture_channels.h"
#include "media/pictures/picture_window.h"

namespace cosmos {

// A picture that OpenImageIO has opened. Its reader is the one of the file's extension, and no other is tried. Used by
// one thread. All throw Error{kInvalidInput} that says why it cannot be used and what to do, without the file's name.
class PictureInput {
 public:
  // `format` is that of FormatOf.
  PictureInput(const std::filesystem::path& file, const std::string& format);
  ~PictureInput();
  PictureInput(const PictureInput&) = delete;
  PictureInput& operator=(const PictureInput&) = delete;

  // At least one: those of an EXR file, or the first picture of another.
  const std::vector<PicturePart>& parts() const { return parts_; }
  // Whether the values of a channel are floating-point numbers, and whether they are halves.
  bool IsFloat(std::size_t part, int channel) const;
  bool IsHalf(std::size_t part, int channel) const;

  // Where the pixels of a part stand in the picture.
  PicturePlacement Placement(std::size_t part) const;

  // Calls `take(y, row)` with each row of the data window from the top to its end: the values of `channels` one behind
  // the other for each pixel, integers as 0 to 1. So damage anywhere in them is found. REQUIRES: one or three channels.
  void ReadRows(std::size_t part, const std::vector<int>& channels, const std::function<void(int, const float*)>& take);

 private:
  const std::filesystem::path file_;
  std::unique_ptr<OIIO::ImageInput> input_;
  std::vector<OIIO::ImageSpec> specs_;
  std::vector<PicturePart> parts_;
};

}  // namespace cosmos
