#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/text.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cosmos::plugins {

// How long the phases of one clip took, as cosmos.history/1 keeps it. A value.
struct PhaseTimings {
  std::map<std::string, double> phases;  // seconds by name
  double rounds = 0;                     // that the phase of rounds had; 0: they were not counted

  // Seconds; 0 for a phase that there was not.
  double Of(const std::string& phase) const;

  sdk::Json ToJson() const;
  // What can be expected after these, phase by phase the median; nothing when none of them can be read.
  static std::optional<PhaseTimings> Expected(const std::vector<sdk::Json>& earlier);
};

// What earlier jobs like this one are kept and found by: the model, and of the parameters those that its duration
// depends on, as far as they are given, and frames and size of the video that is made.
sdk::Json HistoryKey(const std::string& model, const sdk::Json& parameters, const std::vector<std::string>& names,
                     const sdk::VideoExpectation& video = {});

}  // namespace cosmos::plugins
