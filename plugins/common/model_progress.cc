#include "common/model_progress.h"

#include <algorithm>
#include <utility>

#include "common/progress_bar.h"

namespace cosmos::plugins {

ModelProgress::ModelProgress(ProgressRules rules)
    : rules_(std::move(rules)), lines_([this](std::string_view line) { ReadLine(line); }) {
  for (const ProgressRules::Counter& counter : rules_.counters) loops_.push_back({counter.name});
  loops_.push_back({rules_.bar_name});
}

void ModelProgress::Read(sdk::Task& task, std::string_view bytes) {
  lines_.Push(bytes);
  // One report a piece: of several lines that came together, only the last is news.
  if (std::exchange(news_, false)) task.Progress(100 * fraction_, 100, Text());
}

void ModelProgress::ReadLine(std::string_view line) {
  if (rules_.clips > 1 && line.find(rules_.clip_marker) != line.npos) BeginClip();
  if (ReadBar(line) || ReadCounter(line)) return Update();
  for (const ProgressRules::Part& part : rules_.parts) {
    if (line.find(part.marker) == line.npos) continue;
    part_ = part.name;
    part_done_ = part.begin;
    return Update();
  }
  for (const ProgressRules::Phase& phase : rules_.phases) {
    if (line.find(phase.marker) == line.npos) continue;
    phase_ = &phase;
    return Update();
  }
}

void ModelProgress::BeginClip() {
  clip_ = std::min(clip_ + 1, rules_.clips);
  phase_ = nullptr;
  part_ = {};
  part_done_ = 0;
  for (Loop& loop : loops_) loop.done = 0;
}

bool ModelProgress::ReadBar(std::string_view line) {
  const auto bar = ParseProgressBar(line);
  if (!bar || bar->label != rules_.bar_label) return false;
  SetLoop(loops_.size() - 1, bar->done, bar->total);
  return true;
}

bool ModelProgress::ReadCounter(std::string_view line) {
  for (std::size_t i = 0; i < rules_.counters.size(); ++i) {
    const ProgressRules::Counter& counter = rules_.counters[i];
    for (std::size_t at = line.find(counter.before); at != line.npos; at = line.find(counter.before, at + 1)) {
      std::string_view rest = line.substr(at + counter.before.size());
      long n = 0, total = 0;
      if (!TakeCount(rest, n, total) || n < 1 || rest.substr(0, counter.after.size()) != counter.after) continue;
      SetLoop(i, n - 1, total);
      return true;
    }
  }
  return false;
}

// A round that begins has its inner loops before it.
void ModelProgress::SetLoop(std::size_t index, long done, long total) {
  loops_[index].done = static_cast<double>(done);
  loops_[index].total = static_cast<double>(total);
  loops_[index].counted = true;
  for (std::size_t i = index + 1; i < loops_.size(); ++i) loops_[i].done = 0;
  part_done_ = 0;
  part_ = {};
  const auto rounds = std::find_if(rules_.phases.begin(), rules_.phases.end(),
                                   [&](const auto& phase) { return phase.name == rules_.rounds_phase; });
  // Their first line may be a bar's, which stands in no phase of its own.
  if (rounds != rules_.phases.end() && (phase_ == nullptr || phase_->begin < rounds->begin)) phase_ = &*rounds;
}

double ModelProgress::FractionOfRounds() const {
  double fraction = part_done_;
  for (auto loop = loops_.rbegin(); loop != loops_.rend(); ++loop) {
    fraction = std::min(1.0, (loop->done + fraction) / loop->total);
  }
  return fraction;
}

void ModelProgress::Update() {
  news_ = true;
  double fraction = phase_ == nullptr ? 0 : phase_->begin;
  if (phase_ != nullptr && phase_->name == rules_.rounds_phase) {
    fraction += (phase_->end - phase_->begin) * FractionOfRounds();
  }
  fraction = (std::max(clip_ - 1, 0) + fraction) / std::max(rules_.clips, 1);
  // Samples may go through the phases one after the other; a fraction that falls would tell nobody anything.
  fraction_ = std::max(fraction_, fraction);
}

std::string ModelProgress::Text() const {
  const std::string_view name = !part_.empty()      ? part_
                                : phase_ != nullptr ? phase_->name
                                                    : std::string_view("starting");
  std::string text(name);
  if (rules_.clips > 1) text += ", " + std::to_string(std::max(clip_, 1)) + "/" + std::to_string(rules_.clips);
  if (phase_ == nullptr || phase_->name != rules_.rounds_phase) return text;
  for (const Loop& loop : loops_) {
    if (loop.name.empty() || !loop.counted || loop.total <= 1) continue;
    const long round = static_cast<long>(std::min(loop.done + 1, loop.total));
    text += ", " + std::string(loop.name) + " " + std::to_string(round) + "/" +
            std::to_string(static_cast<long>(loop.total));
  }
  return text;
}

}  // namespace cosmos::plugins
