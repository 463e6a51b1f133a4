#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "event/event.h"
#include "run/metrics/metrics_text.h"

namespace cosmos {

// The figures of one run under way, from its events since this engine began. Thread-safe.
class RunMetrics {
 public:
  // `stages`: the keys of the run's stage instances; `ended`: those of them that have ended before.
  RunMetrics(std::string run_id, std::string workflow, std::set<std::string> stages, std::set<std::string> ended);

  void OnEvent(const Event& event);
  // Adds the figures, each with the labels run_id and workflow. Nothing before the first event.
  void AddTo(MetricsText* text) const;

 private:
  struct Transferred {
    std::int64_t bytes = 0;
    double seconds = 0;
  };
  struct Target {
    bool connected = false;
    int reconnections = 0;
  };

  // All of these need mutex_ held.
  void Note(const std::string& key, const EventPayload& payload);
  void NoteTarget(const EventPayload& payload);
  void End(const std::string& key);
  double Fraction() const;
  MetricsText::Labels With(MetricsText::Labels more) const;
  void AddStages(MetricsText* text) const;
  void AddTargets(MetricsText* text) const;
  void AddGpus(MetricsText* text) const;

  const std::string run_id_;
  const std::string workflow_;
  const std::set<std::string> stages_;
  mutable std::mutex mutex_;  // guards all that follows
  bool begun_ = false;
  bool finished_ = false;
  std::set<std::string> ended_;
  std::set<std::string> queued_;           // for GPUs
  std::map<std::string, double> at_work_;  // how far each is, 0 to 1; less than 0: not known
  int retries_ = 0;
  int leases_ = 0;
  double waited_ = 0;  // seconds, for those leases
  std::map<std::string, Target> targets_;
  std::map<std::pair<std::string, std::string>, Transferred> transferred_;  // by target and direction
  std::map<std::string, GpuSample> samples_;                                // the latest of each stage
};

}  // namespace cosmos
