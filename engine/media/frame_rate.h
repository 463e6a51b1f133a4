#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// Frames a second as a fraction in its lowest terms, such as 24/1 or 24000/1001. A value.
struct FrameRate {
  int numerator = 0;
  int denominator = 1;

  double PerSecond() const { return static_cast<double>(numerator) / denominator; }
  friend bool operator==(const FrameRate&, const FrameRate&) = default;
};

// `24`, `24000/1001`, `12.5`; 23.976, 29.97 and 59.94 are taken for the NTSC rates that they stand for. Above 0 and at
// most 1000. Throws Error{kInvalidInput}.
FrameRate ParseFrameRate(std::string_view text);
// `24` or `24000/1001`.
std::string ToString(FrameRate rate);

}  // namespace cosmos
