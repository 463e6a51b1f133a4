#pragma once

#include <cstdint>
#include <string>

// Figures over all that the store holds (within C++14, see run_store.h).
namespace cosmos {

// Upper bounds of the durations that totals tell apart, in seconds.
constexpr int kDurationBounds[] = {1, 10, 60, 300, 900, 1800, 3600, 7200, 14400};
constexpr int kDurationBoundCount = sizeof(kDurationBounds) / sizeof(kDurationBounds[0]);

// How many runs, or stage attempts, are alike in all that this tells of them.
struct TotalsRecord {
  std::string uses;  // of attempts: the stage's plugin
  std::string status;
  std::string failure_kind;  // empty without one
  // The first of kDurationBounds that they did not take longer than; kDurationBoundCount: longer than all; -1: they
  // have not begun, or not ended.
  int bound = -1;
  std::int64_t count = 0;
  double seconds = 0;  // that those took together which have begun and ended
};

}  // namespace cosmos
