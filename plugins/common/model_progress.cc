#include "common/model_progress.h"

#include <algorithm>
#include <utility>

#include "common/progress_bar.h"

namespace cosmos::plugins {
namespace {

constexpr const char* kStarting = "starting";  // the phase before the first one of the rules
constexpr double kTrusted = 0.05;              // of a job, before which its own pace says little

double Seconds(ModelProgress::Time::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

ModelProgress::ModelProgress(ProgressRules rules, sdk::Json key, Clock clock)
    : rules_(std::move(rules)),
      key_(std::move(key)),
      clock_(std::move(clock)),
      lines_([this](std::string_view line) { ReadLine(line); }) {
  for (const ProgressRules::Counter& counter : rules_.counters) loops_.push_back({counter.name});
  loops_.push_back({rules_.bar_name});
}

void ModelProgress::Begin(const sdk::Context& context) {
  resumed_ = context.resumed;
  if (!context.oom_steps.empty()) key_["oom_steps"] = context.oom_steps;
}

void ModelProgress::Read(sdk::Task& task, std::string_view bytes) {
  now_ = clock_();
  if (!std::exchange(begun_, true)) {
    started_ = since_ = now_;
    FindHistory(task);
  }
  lines_.Push(bytes);
  // What becomes of the job of several clips says nothing of one that is done.
  if (rules_.clips > 1) KeepTimings(task);
  // One report a piece: of several lines that came together, only the last is news.
  if (std::exchange(news_, false)) task.Progress(100 * fraction_, 100, Text(), Left());
}

void ModelProgress::Succeed(sdk::Task& task) { KeepTimings(task); }

sdk::Json ModelProgress::KeyOf(bool later_clip) const {
  sdk::Json key = key_;
  if (later_clip) key["later_clip"] = true;
  return key;
}

void ModelProgress::FindHistory(sdk::Task& task) {
  first_clip_ = PhaseTimings::Expected(task.FindTimings(KeyOf(false)));
  if (rules_.clips > 1) later_clip_ = PhaseTimings::Expected(task.FindTimings(KeyOf(true)));
  if (!later_clip_) later_clip_ = first_clip_;
}

void ModelProgress::KeepTimings(sdk::Task& task) {
  for (const auto& [key, timings] : std::exchange(finished_, {})) task.KeepTimings(key, timings.ToJson());
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
    Enter(phase);
    return Update();
  }
}

void ModelProgress::BeginClip() {
  // What was done before the first one, such as loading, is done for it.
  if (clip_ > 0) {
    phase_ = nullptr;
    // The one before came to nothing.
    if (!std::exchange(measured_, {}).phases.empty()) since_ = now_;
  }
  clip_ = std::min(clip_ + 1, rules_.clips);
  part_ = {};
  part_done_ = 0;
  for (Loop& loop : loops_) loop.done = 0;
}

void ModelProgress::Enter(const ProgressRules::Phase& phase) {
  const std::string_view before = phase_ == nullptr ? kStarting : phase_->name;
  measured_.phases[std::string(before)] += Seconds(now_ - since_);
  since_ = now_;
  const bool again = std::exchange(phase_, &phase) == &phase;
  if (phase.begin >= 1 && !again) EndClip();
}

void ModelProgress::EndClip() {
  measured_.rounds = Rounds();
  finished_.emplace_back(KeyOf(clip_ > 1), std::exchange(measured_, {}));
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
  if (rounds != rules_.phases.end() && (phase_ == nullptr || phase_->begin < rounds->begin)) Enter(*rounds);
}

double ModelProgress::FractionOfRounds() const {
  double fraction = part_done_;
  for (auto loop = loops_.rbegin(); loop != loops_.rend(); ++loop) {
    fraction = std::min(1.0, (loop->done + fraction) / loop->total);
  }
  return fraction;
}

double ModelProgress::Rounds() const {
  const Loop& innermost = rules_.bar_name.empty() && loops_.size() > 1 ? loops_[loops_.size() - 2] : loops_.back();
  if (!innermost.counted) return 0;
  double rounds = 1;
  for (const Loop& loop : loops_) rounds *= loop.total;  // 1 of those that are not counted
  return rounds;
}

double ModelProgress::FractionByShares() const {
  double fraction = phase_ == nullptr ? 0 : phase_->begin;
  if (phase_ != nullptr && phase_->name == rules_.rounds_phase) {
    fraction += (phase_->end - phase_->begin) * FractionOfRounds();
  }
  return (std::max(clip_ - 1, 0) + fraction) / std::max(rules_.clips, 1);
}

ModelProgress::Position ModelProgress::ExpectedOfClip(const PhaseTimings& timings) const {
  Position position;
  position.total = timings.Of(kStarting);
  if (phase_ != nullptr) position.done = position.total;
  std::string_view last;
  bool before = phase_ != nullptr;  // whether the phase that is looked at is over
  for (const ProgressRules::Phase& phase : rules_.phases) {
    if (phase.name == last) continue;  // another marker of the same phase
    last = phase.name;
    double seconds = timings.Of(std::string(phase.name));
    const bool rounds = phase.name == rules_.rounds_phase;
    // A longer video has more rounds.
    if (rounds && timings.rounds > 0 && Rounds() > 0) seconds *= Rounds() / timings.rounds;
    position.total += seconds;
    if (before && phase.name == phase_->name) {
      before = false;
      if (rounds) position.done += seconds * FractionOfRounds();
    }
    if (before) position.done += seconds;
  }
  return position;
}

std::optional<ModelProgress::Position> ModelProgress::Expected() const {
  if (!first_clip_) return std::nullopt;
  const int later = std::max(rules_.clips, 1) - 1;  // clips after the first
  Position position = ExpectedOfClip(*first_clip_);
  const Position of_later = ExpectedOfClip(*later_clip_);
  if (clip_ > 1) position.done = position.total + (clip_ - 2) * of_later.total + of_later.done;
  position.total += later * of_later.total;
  if (!(position.total > 0)) return std::nullopt;
  return position;
}

double ModelProgress::Left() const {
  const double elapsed = Seconds(now_ - started_);
  if (fraction_ >= 1) return 0;
  if (const auto expected = Expected()) {
    const double trusted = kTrusted * expected->total;
    const double pace = resumed_ ? 1 : (elapsed + trusted) / (expected->done + trusted);
    return std::max(0.0, expected->total - expected->done) * pace;
  }
  // The log of a resumed job came faster than it was written.
  if (resumed_ || fraction_ < kTrusted) return -1;
  return elapsed * (1 - fraction_) / fraction_;
}

void ModelProgress::Update() {
  news_ = true;
  const auto expected = Expected();
  const double fraction = expected ? expected->done / expected->total : FractionByShares();
  // Samples may go through the phases one after the other; a fraction that falls would tell nobody anything.
  fraction_ = std::max(fraction_, fraction);
}

std::string ModelProgress::Text() const {
  const std::string_view name = !part_.empty() ? part_ : phase_ != nullptr ? phase_->name : std::string_view(kStarting);
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
