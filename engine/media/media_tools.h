#pragma once

#include <string>

#include "core/cancel.h"

namespace cosmos {

// Why the program, ffmpeg or ffprobe, cannot be used on this machine: it is not there, or it is and does not run; empty
// when it works. Whoever is about to blame a file asks first.
std::string ProblemOfMediaTool(const std::string& program, const CancelToken& cancel);

}  // namespace cosmos
