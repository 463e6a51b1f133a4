#include "cli/progress_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/failure_text.h"
#include "cli/from_here.h"
#include "cli/progress_bar.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostBars = 8;
constexpr auto kTick = std::chrono::seconds(1);
constexpr std::size_t kLogLines = 5;  // of a failed job's log
constexpr std::size_t kLogColumns = 200;
constexpr std::size_t kLogTail = 1 << 16;  // bytes

std::string KeyOf(const Event& event) {
  std::string key = event.context.key();
  if (event.context.attempt > 1) key += fmt::format(" (attempt {})", event.context.attempt);
  return key;
}

// The last lines of a log that say something, each once in a row.
std::vector<std::string> LastLines(const std::string& log) {
  std::vector<std::string> lines = SplitLines(log);
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.rfind('\r') + 1);  // the last state of a progress bar
  }
  std::erase(lines, "");
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  if (lines.size() > kLogLines) lines.erase(lines.begin(), lines.end() - kLogLines);
  return lines;
}

std::string TailOf(const std::string& log) {
  try {
    return ReadTail(log, kLogTail);
  } catch (const Error&) {
    return "";  // it is named all the same
  }
}

}  // namespace

ProgressView::ProgressView(Console* console) : console_(console) {
  if (!console_->terminal()) return;
  ticker_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, kTick, [this] { return stopping_; })) {
      if (!drawn_.empty()) DrawBars(std::chrono::steady_clock::now());
    }
  });
}

ProgressView::~ProgressView() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (ticker_.joinable()) ticker_.join();
}

Subscription ProgressView::Subscribe() {
  return {"progress view", Subscription::Overflow::kDropOldest, 65536, [](const EventPayload&) { return true; },
          [this](const Event& event) {
            const std::lock_guard lock(mutex_);
            Show(event);
          }};
}

void ProgressView::Show(const Event& event) {
  const std::string key = event.context.stage.empty() ? "" : event.context.key();
  const auto took = [&] {
    const auto begun = at_work_.find(key);
    return begun == at_work_.end() ? std::string() : " in " + FormatDuration(event.monotonic - begun->second.started);
  };
  const auto end = [&](const std::string& text) {
    Note(event, text);
    at_work_.erase(key);
    ++ended_;
  };
  if (const auto* started = std::get_if<RunStarted>(&event.payload)) {
    stages_ = started->stages;
    Say(fmt::format("run {}: {}, {}", event.context.run_id, started->workflow, Counted(stages_, "stage")));
  } else if (std::holds_alternative<RunResumed>(event.payload)) {
    Say(fmt::format("run {} goes on", event.context.run_id));
  } else if (const auto* queued = std::get_if<StageQueued>(&event.payload)) {
    Note(event, console_->PaintStatus("queued") + ": " + queued->reason);
  } else if (std::holds_alternative<StageStarted>(event.payload)) {
    at_work_[key] = {event.monotonic, {}, {}};
    if (!console_->terminal()) Note(event, "started");
  } else if (const auto* attached = std::get_if<JobAttached>(&event.payload)) {
    at_work_.try_emplace(key, AtWork{event.monotonic, {}, {}});
    Note(event, "attached to its job in " + attached->folder);
  } else if (const auto* progress = std::get_if<Progress>(&event.payload)) {
    if (const auto stage = at_work_.find(key); stage != at_work_.end()) {
      stage->second.progress = *progress;
      stage->second.reported = event.monotonic;
    }
  } else if (std::holds_alternative<StageFinished>(event.payload)) {
    end(console_->PaintStatus("succeeded") + took());
  } else if (const auto* failed = std::get_if<StageFailed>(&event.payload)) {
    ShowFailure(event, took(), failed->failure);
    at_work_.erase(key);
    ++ended_;
  } else if (std::holds_alternative<StageCancelled>(event.payload)) {
    end(console_->PaintStatus("cancelled"));
  } else if (const auto* skipped = std::get_if<StageSkipped>(&event.payload)) {
    end(console_->PaintStatus("skipped") + ": " + skipped->reason);
  } else if (const auto* retrying = std::get_if<StageRetrying>(&event.payload)) {
    --ended_;
    Note(event, fmt::format("attempt {} in {}", retrying->next_attempt, FormatDuration(retrying->delay)));
  } else if (const auto* lost = std::get_if<TargetLost>(&event.payload)) {
    Say(fmt::format("  target {}: no connection ({}); jobs go on, and it is tried again", lost->target, lost->reason));
  } else if (const auto* back = std::get_if<TargetReconnected>(&event.payload)) {
    Say(fmt::format("  target {}: connected again", back->target));
  } else if (const auto* hook = std::get_if<HookFailed>(&event.payload)) {
    EraseBars();
    console_->Warn(fmt::format("hook '{}' failed: {}{}", hook->hook, hook->message,
                               hook->disabled ? " (it gets no more events)" : ""));
  }
  if (std::holds_alternative<RunFinished>(event.payload)) return EraseBars();
  DrawBars(event.monotonic);
}

void ProgressView::Note(const Event& event, const std::string& text) {
  Say(fmt::format("  {:<18} {}", KeyOf(event), text));
}

void ProgressView::Say(const std::string& line) {
  EraseBars();
  console_->PrintLine(line);
}

// The reason once, in full, and what the job said last.
void ProgressView::ShowFailure(const Event& event, const std::string& took, const Failure& failure) {
  Note(event, console_->PaintStatus("failed") + took + ": " + ReasonOf(failure.message, event.context.key()));
  const std::string& log = std::get<StageFailed>(event.payload).facts.log_path;
  if (log.empty()) return;
  for (const std::string& line : LastLines(TailOf(log))) {
    Say("      | " + console_->Paint(Colour::kGrey, OneLine(line, kLogColumns)));
  }
  Say("      log: " + FromHere(log));
}

// A terminal that became narrower has broken the lines into several.
std::string ProgressView::CursorToBars() const {
  const auto width = static_cast<std::size_t>(std::max(console_->width(), 1));
  std::size_t rows = 0;
  for (const std::size_t columns : drawn_) rows += std::max<std::size_t>(1, (columns + width - 1) / width);
  return rows == 0 ? "" : fmt::format("\033[{}A\r", rows);
}

void ProgressView::EraseBars() {
  if (!drawn_.empty()) console_->PrintBytes(CursorToBars() + "\033[J");
  drawn_.clear();
}

void ProgressView::DrawBars(SteadyTime now) {
  const int width = console_->width();
  if (width <= 1 || at_work_.empty()) return EraseBars();
  // Over the old ones and in one write, so that nothing flickers. A terminal's last column stays free: there, erasing
  // the rest would erase a character.
  std::string text = CursorToBars();
  drawn_.clear();
  const auto add = [&](const std::string& line) {
    const std::string shown = OneLine(line, static_cast<std::size_t>(width - 1));
    text += console_->Cleaned(shown) + "\033[K\n";
    drawn_.push_back(Columns(shown));
  };
  for (const auto& [key, stage] : at_work_) {
    if (drawn_.size() >= kMostBars) break;
    add(Bar(key, stage, now));
  }
  const std::size_t hidden = at_work_.size() - drawn_.size();
  add(fmt::format("  {}{} of {} stages done", hidden > 0 ? fmt::format("and {} more; ", hidden) : "",
                  std::min(ended_, stages_), stages_));
  console_->PrintBytes(text + "\033[J");
}

std::string ProgressView::Bar(const std::string& key, const AtWork& stage, SteadyTime now) const {
  const Progress& progress = stage.progress;
  std::string text = fmt::format("  {:<18} ", key);
  if (progress.total > 0) {
    text += ProgressBar(progress.done / progress.total);
  } else {
    text += "running " + FormatDuration(now - stage.started);
  }
  if (!progress.phase.empty()) text += "  " + progress.phase;
  const double left = progress.eta_seconds - Seconds(now - stage.reported);
  if (left >= 1) text += "  " + TimeLeft(left);
  return text;
}

}  // namespace cosmos
