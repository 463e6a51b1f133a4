#pragma once

#include <cosmos/line_splitter.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/log_reader.h"

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

// Reads phases, counters and progress bars, and reports a fraction that never falls.
class ModelProgress final : public LogReader {
 public:
  explicit ModelProgress(ProgressRules rules);

  void Read(sdk::Task& task, std::string_view bytes) override;

 private:
  struct Loop {
    std::string_view name;
    double done = 0;
    double total = 1;
    bool counted = false;
  };

  void ReadLine(std::string_view line);
  void BeginClip();
  bool ReadCounter(std::string_view line);
  bool ReadBar(std::string_view line);
  void SetLoop(std::size_t index, long done, long total);
  double FractionOfRounds() const;
  void Update();
  std::string Text() const;

  const ProgressRules rules_;
  std::vector<Loop> loops_;  // counters, then the bar
  const ProgressRules::Phase* phase_ = nullptr;
  std::string_view part_;
  double part_done_ = 0;  // of a round of the innermost loop
  int clip_ = 0;          // from 1; 0: none has begun
  double fraction_ = 0;   // of all clips
  bool news_ = false;
  sdk::LineSplitter lines_;
};

}  // namespace cosmos::plugins
