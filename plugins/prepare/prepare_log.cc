#include "prepare/prepare_log.h"

#include <cstdio>
#include <utility>

namespace cosmos::plugins {
namespace {

constexpr std::size_t kMaxReasons = 4;

// Removes `prefix` from the beginning of the line, where it stands there.
bool Strip(std::string_view prefix, std::string_view* line) {
  if (line->substr(0, prefix.size()) != prefix) return false;
  line->remove_prefix(prefix.size());
  return true;
}

}  // namespace

void PrepareLog::Read(sdk::Task& task, std::string_view bytes) {
  lines_.Push(bytes);
  if (std::exchange(news_, false)) task.Progress(progress_.done, progress_.total, progress_.phase);
}

void PrepareLog::ReadLine(std::string_view line) {
  char control[32], phase[32];
  double done = 0, total = 0;
  // `depth: encoding, 12 of 121 frames`
  if (std::sscanf(std::string(line).c_str(), "%31[a-z]: %31[a-z], %lf of %lf frame", control, phase, &done, &total) ==
      4) {
    progress_ = {done, total, std::string(phase) + " " + control};
    news_ = true;
    return;
  }
  if (line == kInputAtFault) input_at_fault_ = true;
  // What the program says of itself has its name in front, and its advice on the next line.
  const bool named = Strip("cosmos-engine: ", &line);
  if (Strip("error: ", &line)) {
    if (reasons_.size() < kMaxReasons) {
      reasons_.emplace_back(line);
    } else {
      ++more_reasons_;
    }
  } else if (named && Strip("  ", &line) && !reasons_.empty()) {
    reasons_.back() += "; " + std::string(line);
  }
}

sdk::StageFailure PrepareLog::Explained(const sdk::StageFailure& failure) {
  lines_.Finish();
  if (failure.kind() != "exit_code" || reasons_.empty()) return failure;
  std::string message;
  for (const std::string& reason : reasons_) message += (message.empty() ? "" : "; ") + reason;
  if (more_reasons_ > 0) message += "; and " + std::to_string(more_reasons_) + " more problems";
  return {input_at_fault_ ? "invalid_input" : failure.kind(), message + "; " + failure.message()};
}

}  // namespace cosmos::plugins
