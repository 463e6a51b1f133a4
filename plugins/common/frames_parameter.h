#pragma once

#include <cosmos/text.hpp>
#include <string>

namespace cosmos::plugins {

// The schema of a parameter that names frames as renderers do: `1001-1100`, `1-100x2`, `1,5,10-20`, or one number.
sdk::Json FramesParameter(const std::string& description);

// The set of frames that such a parameter `frames` of `parameters` names, as text; empty without one.
std::string FramesOf(const sdk::Json& parameters);

}  // namespace cosmos::plugins
