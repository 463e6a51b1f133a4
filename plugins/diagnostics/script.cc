#include "diagnostics/script.h"

#include <algorithm>
#include <cstdio>

#include "diagnostics/redaction.h"

namespace cosmos::plugins {
namespace {

constexpr std::size_t kMostSaid = 200;
constexpr std::size_t kMostOutput = 1 << 20;  // that the host gives
constexpr std::size_t kLongestSecret = 4096;

// What was cut off somewhere may end within a secret, which would not be found any more.
void DropLastPart(std::string* text) {
  const std::size_t newline = text->rfind('\n');
  if (newline != text->npos) {
    text->resize(newline + 1);
  } else {
    text->resize(text->size() - std::min(text->size(), kLongestSecret));
  }
}

}  // namespace

std::string LastLine(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\n\r \t");
  if (end == text.npos) return "";
  const std::size_t begin = text.find_last_of("\n\r", end);
  std::string line = text.substr(begin == text.npos ? 0 : begin + 1, end - (begin == text.npos ? 0 : begin + 1) + 1);
  if (line.size() > kMostSaid) line.resize(kMostSaid);
  return AsText(line);
}

Found RunScript(sdk::Task* task, const std::string& target, const std::string& script,
                std::chrono::milliseconds limit) {
  const sdk::Task::Output output = task->RunOnTarget(target, script, limit.count());
  Found found;
  found.text = output.output;
  if (found.text.size() >= kMostOutput || output.timed_out) DropLastPart(&found.text);
  if (!output.errors.empty()) found.text += "\n# said on stderr\n" + output.errors;
  const std::string last = LastLine(output.errors.empty() ? output.output : output.errors);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g s", static_cast<double>(limit.count()) / 1000);
  if (output.exit_status == kNothingThere && !output.timed_out) throw Skipped(last);
  if (output.timed_out) {
    found.problem = "it took longer than " + std::string(seconds) + " and was ended";
  } else if (IsGarbage(AsText(found.text))) {
    found.problem = "it printed " + std::to_string(found.text.size()) + " bytes, of which many are no text";
  } else if (output.exit_status != 0) {
    found.problem = "exit status " + std::to_string(output.exit_status) + (last.empty() ? "" : ": " + last);
  }
  return found;
}

}  // namespace cosmos::plugins
