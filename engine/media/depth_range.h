#pragma once

#include <string_view>

namespace cosmos {

// The distances, in the scene's units, that are white and black in a depth video. A value.
struct DepthRange {
  double near = 0;
  double far = 0;

  friend bool operator==(const DepthRange&, const DepthRange&) = default;
};

// `0.1:250`. Throws Error{kInvalidInput}.
DepthRange ParseDepthRange(std::string_view text);

// The grey of a surface: near is white, as depth estimators give it and as the models learned it; `invert`: far is.
// Where there is no surface (infinity) it is black in any case.
unsigned char GreyOfDepth(float depth, const DepthRange& range, bool invert);

}  // namespace cosmos
