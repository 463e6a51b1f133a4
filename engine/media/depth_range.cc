#include "media/depth_range.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "core/error.h"

namespace cosmos {
namespace {

bool ReadNumber(std::string_view text, double* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*number);
}

}  // namespace

DepthRange ParseDepthRange(std::string_view text) {
  DepthRange range;
  const std::size_t colon = text.find(':');
  if (colon != text.npos && ReadNumber(text.substr(0, colon), &range.near) &&
      ReadNumber(text.substr(colon + 1), &range.far) && range.near < range.far) {
    return range;
  }
  throw Error(ErrorCode::kInvalidInput, "found '" + std::string(text) + "' as a range of depth",
              "expected NEAR:FAR, two numbers of which the second is the larger, such as 0.1:250");
}

unsigned char GreyOfDepth(float depth, const DepthRange& range, bool invert) {
  if (!std::isfinite(depth)) return 0;
  // A flat scene is near.
  if (range.far <= range.near) return 255;
  const double away = std::clamp((depth - range.near) / (range.far - range.near), 0.0, 1.0);
  return static_cast<unsigned char>(std::lround(255 * (invert ? away : 1 - away)));
}

}  // namespace cosmos
