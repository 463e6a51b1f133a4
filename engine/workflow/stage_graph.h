#pragma once

#include <string>
#include <vector>

namespace cosmos {

// Which stage needs which, by their positions in the workflow. Not thread-safe.
class StageGraph {
 public:
  explicit StageGraph(size_t stages) : needs_(stages) {}

  void AddNeed(size_t stage, size_t needed) { needs_[stage].push_back(needed); }
  const std::vector<size_t>& NeedsOf(size_t stage) const { return needs_[stage]; }

  // All stages, each after what it needs, otherwise in the order of the workflow. Shorter when there are cycles.
  std::vector<size_t> Order() const;
  // The cycles, each as its stages in the order of needing, the first again at the end. Every stage is told once.
  std::vector<std::vector<size_t>> Cycles() const;
  // Whether `stage` needs `other`, directly or through others. REQUIRES: there is no cycle.
  bool Reaches(size_t stage, size_t other);

 private:
  std::vector<std::vector<size_t>> needs_;
  std::vector<bool> reached_;  // what the stage that was asked for last needs; empty before the first question
  size_t reached_of_ = 0;
};

}  // namespace cosmos
