#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/cancel.h"
#include "media/frame_rate.h"

namespace cosmos {

// What a video file says of its first video stream. A picture is a video of one frame.
struct VideoFacts {
  int width = 0;  // as it is shown: a rotation that the file asks for has been made
  int height = 0;
  FrameRate rate;           // on average; 0/1 when the file has none
  std::int64_t frames = 0;  // that decoding gives; fewer than there are packets where an edit list or a cut hides some
  double duration = 0;      // seconds
  std::string codec;        // as ffmpeg names it: h264
  std::string pixel_format;
};

// Reads the facts of a video with ffprobe, which decodes all of it to count its frames, unless `known_frames` says how
// many there are. A file with facts may still be damaged (see video_check.h). Any thread. Throws Error: kNotFound
// without such a file, kInvalidInput when there is no video in it, kUnavailable without ffprobe or when cancelled.
VideoFacts ProbeVideo(const std::filesystem::path& video, const CancelToken& cancel, std::int64_t known_frames = 0);

}  // namespace cosmos
