#pragma once

#include <string>
#include <vector>

namespace cosmos {

// One thing about a shot's frames that a person should know. An error stands in the way, a warning does not. A value.
struct ShotFinding {
  bool error = false;
  std::string control;  // that it concerns; empty: none alone
  std::string message;
  std::string hint;  // what to do about it; may be empty
};

using ShotFindings = std::vector<ShotFinding>;

bool HasErrors(const ShotFindings& findings);
// `control: message; hint`.
std::string ToText(const ShotFinding& finding);

}  // namespace cosmos
