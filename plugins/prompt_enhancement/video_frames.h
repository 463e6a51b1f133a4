#pragma once

#include <string>
#include <vector>

#include "prompt_enhancement/interrupt.h"

namespace cosmos::plugins {

// `count` frames of a local video as JPEG files, evenly spaced in time and in order, at most 768 pixels wide and high;
// one when the video does not say how long it is. Uses ffmpeg. Throws sdk::StageFailure invalid_input when the file has
// no frames that can be decoded, and sdk::Cancelled.
std::vector<std::string> JpegFrames(const std::string& video, int count, const Interrupt& interrupt);

}  // namespace cosmos::plugins
