#include "cli/progress_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/progress_bar.h"
#include "core/clock.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostBars = 8;

std::string KeyOf(const Event& event) {
  std::string key = event.context.key();
  if (event.context.attempt > 1) key += fmt::format(" (attempt {})", event.context.attempt);
  return key;
}

}  // namespace

Subscription ProgressView::Subscribe() {
  return {"progress view", Subscription::Overflow::kDropOldest, 65536, [](const EventPayload&) { return true; },
          [this](const Event& event) { Show(event); }};
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
    end(console_->PaintStatus("failed") + took() + ": " + failed->failure.message);
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

void ProgressView::EraseBars() {
  if (drawn_ > 0) console_->PrintAt(fmt::format("\033[{}A\033[J", drawn_), "");
  drawn_ = 0;
}

void ProgressView::DrawBars(SteadyTime now) {
  const int width = console_->width();
  if (width <= 1 || at_work_.empty()) return EraseBars();
  // Over the old ones and in one write, so that nothing flickers. A terminal's last column stays free: there, erasing
  // the rest would erase a character.
  std::string text = drawn_ > 0 ? fmt::format("\033[{}A", drawn_) : "";
  drawn_ = 0;
  const auto add = [&](const std::string& line) {
    text += OneLine(line, static_cast<std::size_t>(width - 1)) + "\033[K\n";
    ++drawn_;
  };
  for (const auto& [key, stage] : at_work_) {
    if (drawn_ >= kMostBars) break;
    add(Bar(key, stage, now));
  }
  add(fmt::format("  {} of {} stages done", std::min(ended_, stages_), stages_));
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
