#include "workflow/stage_graph.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace cosmos {

std::vector<size_t> StageGraph::Order() const {
  std::vector<size_t> missing(needs_.size());
  std::vector<std::vector<size_t>> needed_by(needs_.size());
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t stage = 0; stage < needs_.size(); ++stage) {
    missing[stage] = needs_[stage].size();
    for (const size_t needed : needs_[stage]) needed_by[needed].push_back(stage);
    if (missing[stage] == 0) ready.push(stage);
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const size_t follower : needed_by[order.back()]) {
      if (--missing[follower] == 0) ready.push(follower);
    }
  }
  return order;
}

std::vector<std::vector<size_t>> StageGraph::Cycles() const {
  std::vector<bool> done(needs_.size(), false);
  for (const size_t stage : Order()) done[stage] = true;
  std::vector<std::vector<size_t>> cycles;
  std::vector<size_t> way_of(needs_.size(), needs_.size());  // the start of the way on which a stage was met
  for (size_t start = 0; start < needs_.size(); ++start) {
    // Every stage that is left needs one that is left, so the way never ends before it meets itself or an earlier way.
    std::vector<size_t> way;
    size_t at = start;
    while (!done[at]) {
      done[at] = true;
      way_of[at] = start;
      way.push_back(at);
      const auto next = std::find_if(needs_[at].begin(), needs_[at].end(),
                                     [&](size_t needed) { return !done[needed] || way_of[needed] == start; });
      if (next == needs_[at].end()) break;
      at = *next;
      if (way_of[at] != start) continue;
      const auto met = std::find(way.begin(), way.end(), at);
      cycles.emplace_back(met, way.end());
      cycles.back().push_back(at);
      break;
    }
  }
  return cycles;
}

bool StageGraph::Reaches(size_t stage, size_t other) {
  if (std::find(needs_[stage].begin(), needs_[stage].end(), other) != needs_[stage].end()) return true;
  if (reached_.empty() || reached_of_ != stage) {
    reached_.assign(needs_.size(), false);
    reached_of_ = stage;
    std::vector<size_t> open = {stage};
    while (!open.empty()) {
      const size_t at = open.back();
      open.pop_back();
      for (const size_t needed : needs_[at]) {
        if (reached_[needed]) continue;
        reached_[needed] = true;
        open.push_back(needed);
      }
    }
  }
  return reached_[other];
}

}  // namespace cosmos
