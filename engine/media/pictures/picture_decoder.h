#pragma once

#include <optional>
#include <string>

#include "media/picture_wire.h"
#include "media/pictures/colour_space.h"
#include "media/pictures/picture_input.h"

namespace cosmos {

// Decodes pictures, the one place where that is done. Keeps the last conversion of colours, which takes a while to
// prepare. Used by one thread.
class PictureDecoder {
 public:
  // Decodes the picture to its end. What is shown is its display window; there is nothing where it has no pixels, and
  // colours are black there. Alpha is left out, and colours stay as they are stored. Throws Error{kInvalidInput} that
  // says why a picture cannot be used and what to do, without its name.
  DecodedPicture Decode(const PictureQuery& query);

  // Throws Error{kInvalidInput} when there is no such colour space; the empty one is by the picture.
  void CheckColourSpace(const std::string& space);

 private:
  DecodedPicture DecodeColour(PictureInput* input, const ChosenChannels& chosen, const PictureQuery& query);
  DecodedPicture DecodeLuminanceChroma(const PicturePlacement& placement, const PictureQuery& query);
  const ColourConversion& ConversionOf(const std::string& space);

  std::string space_;
  std::optional<ColourConversion> conversion_;
};

}  // namespace cosmos
