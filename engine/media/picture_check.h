#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "media/shot_finding.h"

namespace cosmos {

// What is known of one picture.
struct PictureFacts {
  int width = 0;
  int height = 0;
  std::string problem;  // why it cannot be read; empty: it can
  std::string hint;     // what to do about it
};

// The pictures of a control by their frames.
using PicturesOfControl = std::map<std::int64_t, PictureFacts>;

// What is wrong with the pictures of a shot, by control: unreadable ones, sizes that differ within a control or among
// them, odd sizes (no error when they are to be cropped).
ShotFindings CheckPictures(const std::map<std::string, PicturesOfControl>& pictures, bool crop_odd);

}  // namespace cosmos
