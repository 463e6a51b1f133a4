#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/run_context.h"
#include "event/bus.h"

namespace cosmos {

// Listens to one transfer of files between this machine and a target, and tells the bus at its end, also when it
// throws, what was really moved: what was there already is not counted. Nothing is told of a transfer that moved
// nothing, as on the local target. For one thread.
class TransferWatch {
 public:
  // How far a transfer is, in bytes; `phase` says which.
  using Listener = std::function<void(double done, double total, std::string_view phase)>;

  // `event` says all but what is found out here. `bus` and `clock` must outlive it.
  TransferWatch(EventBus* bus, Clock* clock, RunContext context, TransferEnded event);
  ~TransferWatch();
  TransferWatch(const TransferWatch&) = delete;
  TransferWatch& operator=(const TransferWatch&) = delete;

  // What is to listen to the transfer: this, and `listener`, which may be empty. Must not outlive this.
  Listener Around(Listener listener);
  // For a transfer whose files are found out under way.
  void SetFiles(std::size_t files) { event_.files = files; }

 private:
  EventBus* const bus_;
  Clock* const clock_;
  const RunContext context_;
  TransferEnded event_;
  const SteadyTime begin_;
  double there_ = -1;  // bytes that were there already; less than 0: not told yet
};

}  // namespace cosmos
