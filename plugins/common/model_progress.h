#pragma once

#include <chrono>
#include <cosmos/line_splitter.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/log_reader.h"
#include "common/phase_timings.h"

namespace cosmos::plugins {

// How a model's log tells how far its job is. All texts must outlive what is made of the rules: they are literals.
struct ProgressRules {
  // A line that holds `marker` begins a phase, which is this share of the job's whole time.
  struct Phase {
    std::string_view marker;
    std::string_view name;
    double begin = 0;
    double end = 0;
  };
  // A count `N/M` of rounds, `before` and `after` being the text around it; N is the one that begins (from 1).
  struct Counter {
    std::string_view name;  // of one round, such as "clip"
    std::string_view before;
    std::string_view after;
  };
  // A line that holds `marker` begins a part of a round of the innermost loop, of which `begin` is done by then.
  struct Part {
    std::string_view marker;
    std::string_view name;
    double begin = 0;
  };

  std::vector<Phase> phases;      // in order
  std::string_view rounds_phase;  // the name of the phase that the loops are in
  std::vector<Counter> counters;  // the loops, outermost first
  std::string_view bar_name;      // of one round of the progress bar, which is the innermost loop; empty: not told
  std::string_view bar_label;     // of that bar; empty: the one without a label
  std::vector<Part> parts;
  // A line that holds it begins the next of so many clips, each with all the phases.
  std::string_view clip_marker;
  int clips = 1;
};

// Reads phases, counters and progress bars, and reports a fraction that never falls, and what is left. When earlier
// jobs of the same kind are in the store, the phases count by how long they took there, and what is left is what they
// say, corrected by how this job is doing; else the phases count by their shares in the rules. The timings of a job
// that succeeds are kept for later ones; those of a clip after the first by themselves, as the model is loaded by then.
class ModelProgress final : public LogReader {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;

  // `key`: see HistoryKey.
  ModelProgress(ProgressRules rules, sdk::Json key, Clock clock = &std::chrono::steady_clock::now);

  void Begin(const sdk::Context& context) override;
  void Read(sdk::Task& task, std::string_view bytes) override;
  void Succeed(sdk::Task& task) override;

 private:
  struct Loop {
    std::string_view name;
    double done = 0;
    double total = 1;
    bool counted = false;
  };
  // In seconds of what is expected.
  struct Position {
    double done = 0;
    double total = 0;
  };

  void FindHistory(sdk::Task& task);
  sdk::Json KeyOf(bool later_clip) const;
  void KeepTimings(sdk::Task& task);
  void ReadLine(std::string_view line);
  void BeginClip();
  void Enter(const ProgressRules::Phase& phase);
  void EndClip();
  bool ReadCounter(std::string_view line);
  bool ReadBar(std::string_view line);
  void SetLoop(std::size_t index, long done, long total);
  double FractionOfRounds() const;
  // How many rounds of the innermost loop there are in all; 0 when they are not counted (yet).
  double Rounds() const;
  double FractionByShares() const;
  // Of all clips, after earlier jobs; nothing when there were none.
  std::optional<Position> Expected() const;
  Position ExpectedOfClip(const PhaseTimings& timings) const;
  void Update();
  double Left() const;
  std::string Text() const;

  const ProgressRules rules_;
  sdk::Json key_;
  const Clock clock_;
  bool resumed_ = false;
  bool begun_ = false;
  Time started_;
  Time now_;                                // of the piece that is being read
  std::optional<PhaseTimings> first_clip_;  // what is expected of it
  std::optional<PhaseTimings> later_clip_;
  Time since_;                                                // of the phase
  PhaseTimings measured_;                                     // of the clip so far
  std::vector<std::pair<sdk::Json, PhaseTimings>> finished_;  // clips that are not kept yet, with their keys
  std::vector<Loop> loops_;                                   // counters, then the bar
  const ProgressRules::Phase* phase_ = nullptr;
  std::string_view part_;
  double part_done_ = 0;  // of a round of the innermost loop
  int clip_ = 0;          // from 1; 0: none has begun
  double fraction_ = 0;   // of all clips
  bool news_ = false;
  sdk::LineSplitter lines_;
};

}  // namespace cosmos::plugins
