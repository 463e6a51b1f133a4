#pragma once

#include <string>

namespace cosmos {

// `██████░░░░░░░░░░░░░░░░░░  25 %`. `fraction` is 0 to 1.
std::string ProgressBar(double fraction);

}  // namespace cosmos
