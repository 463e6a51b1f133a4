#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "media/depth_range.h"
#include "media/frame_rate.h"
#include "media/picture_source.h"
#include "media/shot.h"

namespace cosmos {

// How frames become a video.
struct VideoSettings {
  FrameRate rate{24, 1};
  bool crop_odd = false;                 // to even sizes, which a video must have
  std::optional<DepthRange> depth = {};  // of distances, which need it
  bool invert_depth = false;
  std::string layer = {};          // as in PictureChoice
  std::string colorspace = {};     // likewise
  std::string colour_config = {};  // a digest of the OpenColorIO configuration that knows it; empty: there is none
};

// Told with how many frames are done.
using FrameListener = std::function<void(std::int64_t done)>;

// What of a control's pictures is read.
PictureChoice ChoiceOf(const ControlFrames& control, const VideoSettings& settings);

// Makes the video of a control from its frames below `folder`: H.264, yuv420p, with a constant rate, and of the same
// frames the same bytes. `video` appears when it is whole and has the right number of frames, and replaces what was
// there; on errors and cancellation nothing of it is left. Throws Error: kIo when ffmpeg fails or a picture cannot be
// read, kUnavailable without ffmpeg or when cancelled.
void EncodeSequence(const ControlFrames& control, const std::filesystem::path& folder, const VideoSettings& settings,
                    const std::filesystem::path& video, PictureSource* source, const CancelToken& cancel,
                    const FrameListener& listener);

}  // namespace cosmos
