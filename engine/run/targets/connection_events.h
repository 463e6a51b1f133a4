#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "event/bus.h"
#include "target/ssh/ssh_connection.h"

namespace cosmos {

// Publishes what the connections to a run's targets do. The run's first event is its start, so what happens before
// waits for it. Thread-safe.
class ConnectionEvents {
 public:
  // `bus` must outlive it; `context` is the run's.
  ConnectionEvents(EventBus* bus, RunContext context);

  void OnChange(const std::string& target, const ConnectionChange& change);
  // The run's start was published.
  void Begin();

 private:
  void Publish(const std::string& target, const ConnectionChange& change);

  EventBus& bus_;
  const RunContext context_;
  std::mutex mutex_;  // guards the next two
  bool begun_ = false;
  std::vector<std::pair<std::string, ConnectionChange>> waiting_;
};

}  // namespace cosmos
