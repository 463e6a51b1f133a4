#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cosmos {

// `██████░░░░░░░░░░░░░░░░░░  25 %`. `fraction` is 0 to 1.
std::string ProgressBar(double fraction);
// `25 %`.
std::string Percent(double fraction);
// `about 3 min left`: an estimate is not told to the second.
std::string TimeLeft(double seconds);

// What the store knows of a stage's progress, `rendering, clip 2/4  52 %  about 3 min left`; empty when that is
// nothing. Only of a stage `at_work` something is left.
std::string ProgressText(const nlohmann::json& progress, bool at_work);

}  // namespace cosmos
