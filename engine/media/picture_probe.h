#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "media/depth_range.h"
#include "media/picture_check.h"
#include "media/picture_source.h"
#include "media/shot.h"

namespace cosmos {

// What the pictures of a control are.
struct ProbedControl {
  PicturesOfControl pictures;
  bool distances = false;           // of depth: its pixels are distances in the scene, not grey levels
  std::optional<DepthRange> depth;  // from the nearest to the farthest surface; of distances, where there are any
  std::string colorspace;           // of colours, as they were taken
};

// Told after each picture with how many have been looked at.
using PictureListener = std::function<void(std::int64_t done)>;

// Decodes each picture of a control, whose files are below `folder`, to its end. What cannot be read is told in the
// result. Throws Error as PictureSource::Read does.
ProbedControl ProbePictures(const ControlFrames& control, const std::filesystem::path& folder,
                            const PictureChoice& choice, PictureSource* source, const PictureListener& listener);

}  // namespace cosmos
