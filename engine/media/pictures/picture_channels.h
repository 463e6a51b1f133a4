#pragma once

#include <string>
#include <vector>

#include "media/picture_wire.h"

namespace cosmos {

// The channels of one part of an EXR file, or of any other picture. A value.
struct PicturePart {
  std::string name = {};  // "" where there is only one
  std::vector<std::string> channels;
  bool deep = false;
};

// The channels that are read. A value.
struct ChosenChannels {
  std::size_t part = 0;
  std::vector<int> channels;  // their places in the part: red, green and blue, or a single one
};

// Chooses colours or depth by names, as Blender, Houdini, Nuke, Arnold and others write them: `R`,
// `ViewLayer.Combined.R`, `rgba.red`, `Z`, `ViewLayer.Depth.Z`, or a part called `depth`. Throws Error{kInvalidInput}
// with what is there and what to do when there is no such layer, when several could be meant, and when the part is
// deep. REQUIRES: parts are not empty.
ChosenChannels ChooseChannels(const std::vector<PicturePart>& parts, const PictureChoice& choice);

}  // namespace cosmos
