#include "common/phase_timings.h"

#include <algorithm>
#include <set>

namespace cosmos::plugins {
namespace {

using sdk::Json;

std::optional<PhaseTimings> FromJson(const Json& json) {
  if (!json.is_object() || !json.contains("phases") || !json.at("phases").is_object()) return std::nullopt;
  PhaseTimings timings;
  for (const auto& [phase, seconds] : json.at("phases").items()) {
    if (!seconds.is_number() || seconds < 0) return std::nullopt;
    timings.phases[phase] = seconds;
  }
  const Json rounds = json.value("rounds", Json(0));
  if (rounds.is_number()) timings.rounds = rounds;
  return timings;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

double PhaseTimings::Of(const std::string& phase) const {
  const auto found = phases.find(phase);
  return found == phases.end() ? 0 : found->second;
}

Json PhaseTimings::ToJson() const { return {{"phases", phases}, {"rounds", rounds}}; }

std::optional<PhaseTimings> PhaseTimings::Expected(const std::vector<Json>& earlier) {
  std::vector<PhaseTimings> all;
  std::set<std::string> names;
  std::vector<double> rounds;
  for (const Json& json : earlier) {
    auto timings = FromJson(json);
    if (!timings) continue;
    for (const auto& [phase, seconds] : timings->phases) names.insert(phase);
    rounds.push_back(timings->rounds);
    all.push_back(std::move(*timings));
  }
  if (all.empty()) return std::nullopt;
  PhaseTimings expected;
  for (const std::string& name : names) {
    std::vector<double> seconds;
    for (const PhaseTimings& timings : all) seconds.push_back(timings.Of(name));
    expected.phases[name] = Median(std::move(seconds));
  }
  expected.rounds = Median(std::move(rounds));
  return expected;
}

Json HistoryKey(const std::string& model, const Json& parameters, const std::vector<std::string>& names,
                const sdk::VideoExpectation& video) {
  Json key = {{"model", model}};
  for (const std::string& name : names) {
    if (parameters.contains(name)) key[name] = parameters.at(name);
  }
  if (!video.empty()) key["video"] = video.ToJson();
  return key;
}

}  // namespace cosmos::plugins
