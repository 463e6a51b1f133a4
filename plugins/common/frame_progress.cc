#include "common/frame_progress.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace cosmos::plugins {
namespace {

// The number after `prefix`, or less than 0 when `line` does not start with it and go on with a number.
double NumberAfter(std::string_view prefix, std::string_view line) {
  if (line.substr(0, prefix.size()) != prefix) return -1;
  const std::string number(line.substr(prefix.size(), 32));
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  return end == number.c_str() ? -1 : value;
}

}  // namespace

FrameProgress::FrameProgress(std::string phase, sdk::Json key)
    : DurationProgress(std::move(phase), std::move(key)), lines_([this](std::string_view line) { ReadLine(line); }) {}

void FrameProgress::Read(sdk::Task& task, std::string_view bytes) {
  Heard(task);
  lines_.Push(bytes);
  // One report a piece: of several lines that came together, only the last is news.
  if (std::exchange(news_, false)) Report(task, done_, total_);
}

void FrameProgress::ReadLine(std::string_view line) {
  double number = NumberAfter("frames to do:", line);
  if (number >= 0) {
    total_ = number;
  } else if ((number = NumberAfter("frames done:", line)) >= 0) {
    done_ = before_ = number;
  } else if ((number = NumberAfter("frame=", line)) >= 0) {
    done_ = before_ + number;
  } else {
    return;
  }
  if (total_ > 0) done_ = std::min(done_, total_);
  news_ = true;
}

}  // namespace cosmos::plugins
