#pragma once

#include <string>
#include <vector>

#include "diagnostics/run_facts.h"

namespace cosmos::plugins {

// What mostly lies behind a failure of a kind, and what to try, the most likely first.
struct Cause {
  std::string cause;
  std::vector<std::string> try_this;
};

// For what a failed stage's message names, or else the end of its log, when that is known, and otherwise for its kind:
// every failure kind of the engine has one; for a word that is none, what helps with any failure. In the texts stand
// the run's and the stage's own names. Pure.
Cause CauseOf(const std::string& kind, const RunFacts& run, const StageFacts& stage, const std::string& log_end = "");
// Of a run that no engine carries out any more.
Cause CauseOfInterruption(const RunFacts& run, const StageFacts& stage);

// The failure kinds that have a cause of their own.
std::vector<std::string> KnownKinds();

}  // namespace cosmos::plugins
