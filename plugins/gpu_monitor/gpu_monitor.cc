// The hook that watches the GPUs of targets while jobs run on them: what each job's GPUs do is kept with the run, for
// `cosmos-engine show`, for metrics, and for what later runs can expect.
#include <chrono>
#include <cosmos/plugin.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/duration.h"
#include "gpu_monitor/watch.h"

namespace {

using cosmos::plugins::DurationIn;
using cosmos::plugins::Watch;
using cosmos::sdk::Context;
using cosmos::sdk::Description;
using cosmos::sdk::Json;
using cosmos::sdk::LogLevel;
using std::chrono::milliseconds;

constexpr auto kShortestInterval = milliseconds(100);  // nvidia-smi itself takes about as long

class GpuMonitor : public cosmos::sdk::Hook {
 public:
  Description Describe() const override {
    Description description;
    description.id = "gpu-monitor";
    description.version = "1.0.0";
    description.summary = "Watches the GPUs of targets while jobs run on them.";
    description.parameters = Json::parse(R"json({
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "interval": {
          "type": ["string", "number"],
          "format": "duration",
          "exclusiveMinimum": 0,
          "default": "5s",
          "description": "Between two samples, 100ms or more. A duration, or a number of seconds."
        }
      }
    })json");
    description.events = {"gpus_leased", "job_submitted", "job_attached", "job_ended"};
    description.required_services = {"cosmos.run/1", "cosmos.gpu/1"};
    return description;
  }

  void Start(const Context&, const Json& parameters) override {
    interval_ = DurationIn(parameters, "interval", "hook 'gpu-monitor'", "5s", kShortestInterval);
  }

  void OnEvent(const Json& event) override {
    const std::string type = event.at("type"), job = JobOf(event);
    if (type == "gpus_leased") {
      std::set<int>& gpus = leased_[job];
      for (const Json& gpu : event.at("data").at("gpus")) gpus.insert(gpu.at("index").get<int>());
    } else if (type == "job_ended") {
      for (auto& [target, watch] : watches_) watch->Remove(job);
      leased_.erase(job);
    } else {
      const auto leased = leased_.find(job);
      WatchOf(event.at("data").at("target")).Add(job, leased == leased_.end() ? std::set<int>() : leased->second);
    }
  }

  void Stop() override { watches_.clear(); }

 private:
  Watch& WatchOf(const std::string& target) {
    std::unique_ptr<Watch>& watch = watches_[target];
    if (watch == nullptr) {
      watch = std::make_unique<Watch>(GpusOfRun(), target, interval_,
                                      [this](LogLevel level, const std::string& sentence) { Log(level, sentence); });
    }
    return *watch;
  }

  milliseconds interval_{};
  std::map<std::string, std::set<int>> leased_;            // by job
  std::map<std::string, std::unique_ptr<Watch>> watches_;  // by target
};

}  // namespace

COSMOS_PLUGIN(GpuMonitor);
