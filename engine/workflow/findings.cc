#include "workflow/findings.h"

#include <algorithm>
#include <tuple>

namespace cosmos {

std::string ToText(const Finding& finding) {
  std::string text = finding.file;
  if (finding.line > 0) text += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  if (!text.empty()) text += ": ";
  text += finding.message;
  if (!finding.hint.empty()) text += "; " + finding.hint;
  return text;
}

void FindingList::Add(Place place, std::string message, std::string hint) {
  findings_.push_back({file_, place.line, place.column, std::move(message), std::move(hint)});
}

Findings FindingList::Sorted() const {
  const auto key = [](const Finding& finding) {
    return std::tie(finding.line, finding.column, finding.message, finding.hint);
  };
  Findings sorted = findings_;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Finding& a, const Finding& b) { return key(a) < key(b); });
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace cosmos
