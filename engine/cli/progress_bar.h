#pragma once

#include <string>

namespace cosmos {

// `██████░░░░░░░░░░░░░░░░░░  25 %`. `fraction` is 0 to 1.
std::string ProgressBar(double fraction);
// `25 %`.
std::string Percent(double fraction);
// `about 3 min left`: an estimate is not told to the second.
std::string TimeLeft(double seconds);

}  // namespace cosmos
