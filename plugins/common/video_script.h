#pragma once

#include <string>
#include <string_view>

namespace cosmos::plugins {

// The head of a job's script: strict mode, and the functions
//   absolute PATH   prints PATH seen from the root
//   probe FILE      sets width, height (as the video is shown), sar (the pixels' width to their height, as N/D), rate
//                   (frames a second, as N/D) and frames (that decode); ends the job with a message when FILE has no
//                   video
//   frames_at RATE  prints how many frames the file that was probed last has at RATE
//   even NUMBER     prints the even number at or below it, at least 2
// FrameProgress reads the lines `frames to do: N` and `frames done: N` that a script prints.
std::string VideoScriptHead();

// `VARIABLE=$(absolute 'path')` with its line end.
std::string SetAbsolute(std::string_view variable, std::string_view path);

// The same frames of the same input on every machine: a fixed number of threads, no versions or times in the file.
// `crf` is x264's quality, 0 (lossless) to 51.
std::string X264(double crf);

}  // namespace cosmos::plugins
