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
  for (size_t start = 0; start < needs_.size(); ++start) {
    // Every stage that is left needs one that is left, so the way never ends before it meets itself or an earlier way.
    std::vector<size_t> way;
    size_t at = start;
    while (!done[at]) {
      done[at] = true;
      way.push_back(at);
      const auto next = std::find_if(needs_[at].begin(), needs_[at].end(), [&](size_t needed) {
        return !done[needed] || std::find(way.begin(), way.end(), needed) != way.end();
      });
      if (next == needs_[at].end()) break;
      at = *next;
      const auto met = std::find(way.begin(), way.end(), at);
      if (met == way.end()) continue;
      cycles.emplace_back(met, way.end());
      cycles.back().push_back(at);
      break;
    }
  }
  return cycles;
}

bool StageGraph::Reaches(size_t stage, size_t other) {
  if (std::find(needs_[stage].begin(), needs_[stage].end(), other) != needs_[stage].end()) return true;
  if (reached_.empty()) {
    const size_t words = needs_.size() / 64 + 1;
    reached_.assign(needs_.size(), std::vector<std::uint64_t>(words, 0));
    for (const size_t at : Order()) {
      for (const size_t needed : needs_[at]) {
        reached_[at][needed / 64] |= std::uint64_t{1} << (needed % 64);
        for (size_t word = 0; word < words; ++word) reached_[at][word] |= reached_[needed][word];
      }
    }
  }
  return (reached_[stage][other / 64] >> (other % 64) & 1) != 0;
}

}  // namespace cosmos
