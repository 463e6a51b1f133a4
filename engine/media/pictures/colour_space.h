#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace cosmos {

// Spaces that need no configuration of OpenColorIO.
inline constexpr const char* kSrgb = "srgb";
inline constexpr const char* kLinearSrgb = "linear-srgb";

// Turns colours of a space into what an sRGB display shows, without a look: white is 1, and what is brighter stays
// above. The space is `linear-srgb`, `acescg`, `aces2065-1`, `srgb` or `raw` (both stay as they are), or one of the
// OpenColorIO configuration that $OCIO names. Immutable; any thread.
class ColourConversion {
 public:
  // Throws Error{kInvalidInput} with the names that are near when there is no such space, or why the configuration
  // cannot be used.
  explicit ColourConversion(const std::string& space);
  ~ColourConversion();
  ColourConversion(const ColourConversion&) = delete;
  ColourConversion& operator=(const ColourConversion&) = delete;

  bool changes() const { return processor_ != nullptr; }
  // Converts red, green and blue, one pixel behind the other. REQUIRES: changes().
  void Apply(float* colours, std::size_t pixels) const;

 private:
  struct Processor;
  std::unique_ptr<const Processor> processor_;
};

}  // namespace cosmos
