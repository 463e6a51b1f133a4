#pragma once

#include <string>
#include <vector>

#include "diagnostics/item.h"
#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// What a person reads first, in Markdown: what failed, the likely cause with what speaks for it (`evidence`), what to
// try, and which files stand beside it. `kept` are what the engine kept when jobs failed, as paths that
// begin beside the summary.
std::string SummaryOf(const RunFacts& run, const std::vector<Item>& items, const std::vector<std::string>& evidence,
                      const std::vector<std::string>& kept);

}  // namespace cosmos::plugins
