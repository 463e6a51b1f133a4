#include "run/targets/command_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr std::int64_t kMostBytes = 1 << 20;  // of one file
constexpr std::size_t kMostRepeats = 4096;    // of operations that are remembered
constexpr auto kInterval = std::chrono::minutes(1);
constexpr std::size_t kMostMasked = 1 << 16;  // bytes of a script that are looked at
constexpr std::size_t kMostWhat = 300;        // characters
constexpr std::size_t kMostError = 500;

fs::path OlderOf(const fs::path& path) { return path.parent_path() / (path.stem().string() + ".1.jsonl"); }

std::string OutcomeOf(const TargetOperation& operation) {
  if (operation.kind != FailureKind::kNone) return "error";
  if (operation.timed_out) return "timed_out";
  return operation.exit_status > 0 ? "failed" : "ok";
}

// On one line, as people read it.
std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == '\n' || c == '\t' || c == '\r' || c == ' ';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  return line;
}

// Masked before it is cut: half of a secret would not be found any more.
std::string Head(std::string_view text, std::size_t most, const Masker& masker) {
  const std::string line = OneLine(masker.Mask(text.substr(0, kMostMasked)));
  const std::string head = TruncateUtf8(line, most);
  return head.size() < line.size() ? head + "…" : head;
}

void AddLines(const fs::path& path, const std::string& target, std::vector<json>* commands) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  for (const std::string& line : SplitLines(ReadOwnFile(path))) {
    json command = TryParseJson(line, kOwnJson);
    if (!command.is_object()) continue;  // one that was cut when an engine died
    if (target.empty() || TextIn(command, "target") == target) commands->push_back(std::move(command));
  }
}

}  // namespace

CommandLog::CommandLog(fs::path path, const Masker* masker) : path_(std::move(path)), masker_(*masker) {}

void CommandLog::Record(const TargetOperation& operation) noexcept {
  try {
    const std::string outcome = OutcomeOf(operation);
    const std::lock_guard lock(mutex_);
    std::int64_t left_out = 0;
    if (operation.repeats && !IsDue(operation, outcome, &left_out)) return;
    json command = {{"time", FormatTime(operation.began)},
                    {"target", operation.target},
                    {"operation", operation.name},
                    {"what", Head(operation.what, kMostWhat, masker_)},
                    {"outcome", outcome},
                    {"exit_status", operation.exit_status < 0 ? json() : json(operation.exit_status)},
                    {"duration", Seconds(operation.took)}};
    if (operation.kind != FailureKind::kNone) {
      command["kind"] = ToString(operation.kind);
      command["error"] = Head(operation.error, kMostError, masker_);
    }
    if (left_out > 0) command["repeated"] = left_out;
    Write(command.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  } catch (...) {  // a line that cannot be written changes nothing
  }
}

bool CommandLog::IsDue(const TargetOperation& operation, const std::string& outcome, std::int64_t* left_out) {
  if (repeats_.size() > kMostRepeats) repeats_.clear();
  std::string key(operation.target);
  for (const std::string_view part : {operation.name, operation.what}) key.append(1, '\n').append(part);
  Repeat& repeat = repeats_[std::move(key)];
  if (repeat.outcome == outcome && operation.began < repeat.written + kInterval) {
    ++repeat.left_out;
    return false;
  }
  *left_out = std::exchange(repeat.left_out, 0);
  repeat.outcome = outcome;
  repeat.written = operation.began;
  return true;
}

void CommandLog::Write(const std::string& line) {
  if (file_.valid() && size_ > kMostBytes) {
    file_.Reset();
    fs::rename(path_, OlderOf(path_));
  }
  if (!file_.valid()) {
    file_ = DemandRegular(path_, O_WRONLY | O_CREAT | O_APPEND);
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return;
    size_ = status.st_size;
  }
  if (::write(file_.get(), line.data(), line.size()) > 0) size_ += static_cast<std::int64_t>(line.size());
}

json ReadCommands(const fs::path& path, const std::string& target, std::size_t limit) {
  std::vector<json> commands;
  AddLines(OlderOf(path), target, &commands);
  AddLines(path, target, &commands);
  const std::size_t first = commands.size() - std::min(limit, commands.size());
  return json(std::vector<json>(commands.begin() + static_cast<std::ptrdiff_t>(first), commands.end()));
}

}  // namespace cosmos
