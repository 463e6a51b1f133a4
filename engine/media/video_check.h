#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/cancel.h"

namespace cosmos {

// What decoding a video came to.
struct VideoCheck {
  std::string problem;      // what is wrong with it, in ffmpeg's words where it has any; empty: it is sound
  std::int64_t frames = 0;  // that came out; of a sound video, all

  bool sound() const { return problem.empty(); }
};

// Decodes a video (its first video stream) from its first frame to its last with ffmpeg, and stops at the first error.
// That there is no ffmpeg, or that it was cancelled, is a problem too. Any thread.
VideoCheck CheckVideo(const std::filesystem::path& video, const CancelToken& cancel);

}  // namespace cosmos
