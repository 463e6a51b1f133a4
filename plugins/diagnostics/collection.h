#pragma once

#include <atomic>
#include <chrono>
#include <vector>

#include "diagnostics/folder.h"
#include "diagnostics/item.h"

namespace cosmos::plugins {

struct Limits {
  std::chrono::milliseconds each{10'000};
  std::chrono::milliseconds all{60'000};
};

// Carries out the collectors, a few at a time, and writes what each found; gives what became of each, in their order. A
// collector that throws, or whose time is over, marks its own item and nothing else; those for which no time is left,
// or that come after `cancelled`, are skipped. Returns within `all`, as far as collectors keep to the limit that they
// are given.
std::vector<Item> Collect(const std::vector<Collector>& collectors, const Folder& folder, const Limits& limits,
                          const std::atomic<bool>& cancelled);

}  // namespace cosmos::plugins
