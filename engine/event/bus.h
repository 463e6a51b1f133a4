#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/masker.h"
#include "event/event.h"

namespace cosmos {

using EventPtr = std::shared_ptr<const Event>;

// What a subscriber wants and what happens when it is slower than the run.
struct Subscription {
  enum class Overflow {
    kBlock,       // the publisher waits; for the journal only, and only for lifecycle events
    kDropOldest,  // the oldest go, and the subscriber is told how many by an EventsDropped event
  };

  std::string name;
  Overflow overflow = Overflow::kDropOldest;
  std::size_t capacity = 4096;
  std::function<bool(const EventPayload&)> wants;  // called under the bus's lock: quick, no calls into the bus
  std::function<void(const Event&)> deliver;       // called on the subscriber's own thread, one event at a time
};

// Numbers the events of one run and hands them to subscribers, each on a thread of its own with a bounded queue. The
// order is total. Thread-safe; Subscribe only before the first Publish. A subscriber that throws is reported by a
// HookFailed event and gets nothing more after the third time.
class EventBus {
 public:
  // The pointers must outlive the bus. `last_seq` is the number of the run's last event so far (of an earlier engine).
  // Texts of events are masked with `masker`, if there is one.
  EventBus(Clock* clock, std::uint64_t last_seq, const Masker* masker = nullptr);
  // Closes.
  ~EventBus();
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;

  void Subscribe(Subscription subscription);
  // Masks the event, gives it its number and times, and enqueues it. No I/O; waits only for a blocking subscriber that
  // is full.
  void Publish(const RunContext& context, EventPayload payload) noexcept;
  // Waits until every subscriber has had what was published, the blocking ones last, and ends their threads. Later
  // events are not delivered.
  void Close() noexcept;

 private:
  class Subscriber;

  // REQUIRES: mutex_ is held. Never waits; a full blocking queue then grows beyond its capacity.
  void PublishLocked(const RunContext& context, EventPayload payload);

  Clock* const clock_;
  const Masker* const masker_;
  std::mutex mutex_;  // numbers, queues and flags of all subscribers
  std::uint64_t last_seq_;
  bool closed_ = false;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
};

}  // namespace cosmos
