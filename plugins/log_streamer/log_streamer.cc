// The hook that brings the logs of jobs from their targets to the local log files while the jobs run, so that `logs -f`
// and whoever reads the files need not wait for the jobs' ends.
#include <atomic>
#include <chrono>
#include <cosmos/plugin.hpp>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "common/duration.h"
#include "log_streamer/stream.h"

namespace {

using cosmos::plugins::DurationIn;
using cosmos::plugins::Stream;
using cosmos::plugins::StreamOptions;
using cosmos::sdk::Context;
using cosmos::sdk::Description;
using cosmos::sdk::JobLog;
using cosmos::sdk::Json;
using cosmos::sdk::LogLevel;

// A stream with no rest between two questions would be a flood.
std::chrono::milliseconds DurationOf(const Json& parameters, const char* key) {
  return DurationIn(parameters, key, "hook 'log-streamer'", "2s");
}

StreamOptions OptionsOf(const Json& parameters) {
  StreamOptions options;
  options.mode = parameters.at("mode") == "poll" ? StreamOptions::Mode::kPoll : StreamOptions::Mode::kFollow;
  options.poll_interval = DurationOf(parameters, "poll_interval");
  options.time_limit = DurationOf(parameters, "time_limit");
  return options;
}

// One thread for each job, each with its own position in its job's log. A thread ends by itself when its log is closed,
// so none is ever told to stop.
class LogStreamer : public cosmos::sdk::Hook {
 public:
  ~LogStreamer() override { JoinAll(); }

  Description Describe() const override {
    Description description;
    description.id = "log-streamer";
    description.version = "1.0.0";
    description.summary = "Brings the logs of jobs on other machines to the local log files while the jobs run.";
    description.parameters = Json::parse(R"json({
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "mode": {
          "enum": ["follow", "poll"],
          "default": "follow",
          "description": "follow: one connection for each job brings its log as it is written. poll: the target is asked for what is new every poll_interval."
        },
        "poll_interval": {
          "type": ["string", "number"],
          "format": "duration",
          "exclusiveMinimum": 0,
          "default": "2s",
          "description": "Between two questions of mode poll, and before mode follow tries again when the target has no connection to spare. A duration, or a number of seconds."
        },
        "time_limit": {
          "type": ["string", "number"],
          "format": "duration",
          "exclusiveMinimum": 0,
          "default": "3600s",
          "description": "How long mode poll asks for one job's log; what comes later is brought when the job has ended. A duration, or a number of seconds."
        }
      }
    })json");
    description.events = {"job_submitted", "job_attached", "job_ended"};
    description.required_services = {"cosmos.run/1", "cosmos.job_log/1"};
    return description;
  }

  void Start(const Context&, const Json& parameters) override { options_ = OptionsOf(parameters); }

  void OnEvent(const Json& event) override {
    JoinEnded();
    if (event.at("type") == "job_ended") return;
    JobLog log = LogOf(event);
    const auto [entry, is_new] = workers_.try_emplace(log.job());
    if (!is_new) return;  // job_attached after job_submitted
    Worker& worker = entry->second;
    try {
      worker.thread = std::thread([this, &worker, log = std::move(log)] {
        Stream(log, options_, [this](const std::string& sentence) { Log(LogLevel::kWarning, sentence); });
        worker.ended = true;
      });
    } catch (...) {
      workers_.erase(entry);
      throw;
    }
  }

  void Stop() override { JoinAll(); }

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> ended{false};
  };

  void JoinEnded() {
    for (auto it = workers_.begin(); it != workers_.end();) {
      if (!it->second.ended) {
        ++it;
        continue;
      }
      it->second.thread.join();
      it = workers_.erase(it);
    }
  }

  void JoinAll() {
    for (auto& [job, worker] : workers_) worker.thread.join();
    workers_.clear();
  }

  StreamOptions options_;                  // written before the first thread is there
  std::map<std::string, Worker> workers_;  // by job; used by the hook's own thread alone
};

}  // namespace

COSMOS_PLUGIN(LogStreamer);
