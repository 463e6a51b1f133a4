#include "core/error.h"
#include "fuzz/fuzz_targets.h"
#include "fuzz/memory_folder.h"
#include "media/pictures/picture_decoder.h"

namespace cosmos::testing {

void FuzzExr(std::string_view input) {
  static const MemoryFolder folder;
  const std::filesystem::path file = folder.Put("a.exr", input);
  PictureDecoder decoder;
  for (const auto kind : {PictureChoice::Kind::kColour, PictureChoice::Kind::kDepth}) {
    try {
      decoder.Decode({file, {kind}, true});
    } catch (const Error&) {
    }
  }
}

}  // namespace cosmos::testing
