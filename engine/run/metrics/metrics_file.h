#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "core/clock.h"
#include "core/logger.h"
#include "core/run_context.h"
#include "event/bus.h"
#include "run/metrics/run_metrics.h"
#include "store/run_store.h"

namespace cosmos {

// Keeps a file of figures up to date for Prometheus, such as node_exporter's textfile collector reads: those of the
// store, and those of the run under way. It is written as a whole with the run's first event, every few seconds, and
// once more by the destructor. What is wrong with it is a warning in the run's log, once until it is well again.
class MetricsFile {
 public:
  struct Order {
    std::filesystem::path path;
    RunStore* store;
    Logger* logger;
    RunContext context;  // of the log's lines
    Duration interval = std::chrono::seconds(5);
  };

  // What the order points to must outlive this; the rest is as RunMetrics has it.
  MetricsFile(Order order, std::string workflow, std::set<std::string> stages, std::set<std::string> ended);
  // REQUIRES: the bus is closed.
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  // How it listens to the bus. Must outlive the bus.
  Subscription Subscribe();

 private:
  void WriteNowAndThen();
  void Write() noexcept;

  const Order order_;
  RunMetrics run_;
  bool failing_ = false;  // used by who writes: the thread, then the destructor
  std::mutex mutex_;      // guards the next two
  bool begun_ = false;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace cosmos
