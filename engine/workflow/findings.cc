#include "workflow/findings.h"

#include <algorithm>
#include <tuple>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxFindings = 1000;
constexpr std::size_t kMaxText = 2000;  // bytes of a message
constexpr std::size_t kEnd = 400;       // of them from its end, which says what was expected

// A long name or value stands in the middle of a message.
std::string Shortened(const std::string& text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = text.size() - kEnd;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return TruncateUtf8(std::string_view(text).substr(0, kMaxText - kEnd), kMaxText) + " … " + text.substr(end);
}

}  // namespace

std::string ToText(const Finding& finding) {
  std::string text = finding.file;
  if (finding.line > 0) text += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  if (!text.empty()) text += ": ";
  text += finding.message;
  if (!finding.hint.empty()) text += "; " + finding.hint;
  return text;
}

void FindingList::Add(Place place, std::string message, std::string hint) {
  if (full()) return;
  if (findings_.size() + 1 == kMaxFindings) {
    message = "more than " + std::to_string(kMaxFindings - 1) + " problems were found; the others are not listed";
    hint = "correct these first";
  }
  findings_.push_back({file_, place.line, place.column, Shortened(message), Shortened(hint)});
}

bool FindingList::full() const { return findings_.size() >= kMaxFindings; }

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
