#include "media/shot_finding.h"

#include <algorithm>

namespace cosmos {

bool HasErrors(const ShotFindings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const ShotFinding& finding) { return finding.error; });
}

std::string ToText(const ShotFinding& finding) {
  std::string text = finding.control.empty() ? finding.message : finding.control + ": " + finding.message;
  if (!finding.hint.empty()) text += "; " + finding.hint;
  return text;
}

}  // namespace cosmos
