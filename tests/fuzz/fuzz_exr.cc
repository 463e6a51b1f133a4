#include "core/error.h"
#include "fuzz/fuzz_targets.h"
#include "fuzz/memory_folder.h"
#include "media/exr_picture.h"

namespace cosmos::testing {

void FuzzExr(std::string_view input) {
  static const MemoryFolder folder;
  const std::filesystem::path file = folder.Put("a.exr", input);
  try {
    CheckExrColour(file);
  } catch (const Error&) {
  }
  try {
    ReadExrDepth(file);
  } catch (const Error&) {
  }
}

}  // namespace cosmos::testing
