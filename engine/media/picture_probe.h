#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "core/cancel.h"
#include "media/depth_range.h"
#include "media/picture_check.h"
#include "media/shot.h"

namespace cosmos {

// What the pictures of a control are.
struct ProbedControl {
  PicturesOfControl pictures;
  std::optional<DepthRange> depth;  // from the nearest to the farthest surface; of depth EXRs that have any
};

// Told after each picture with how many have been looked at.
using PictureListener = std::function<void(std::int64_t done)>;

// Reads each picture of a control, whose files are below `folder`, to its end. What cannot be read is told in the
// result. Throws Error: kUnavailable without ffprobe, or when cancelled.
ProbedControl ProbePictures(const ControlFrames& control, const std::filesystem::path& folder,
                            const CancelToken& cancel, const PictureListener& listener);

}  // namespace cosmos
