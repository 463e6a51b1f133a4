#include "event/bus.h"

#include <deque>
#include <exception>
#include <utility>

#include "event/mask_event.h"

namespace cosmos {
namespace {

constexpr int kFailuresAllowed = 3;
// How long a subscriber's thread lets events gather before it takes them: a run of many short stages then wakes it a
// few hundred times a second and not for every event.
constexpr auto kGather = std::chrono::milliseconds(5);

}  // namespace

// One subscriber's queue and thread. All members but the subscription are guarded by the bus's mutex.
class EventBus::Subscriber {
 public:
  Subscriber(EventBus* bus, Subscription subscription) : bus_(bus), subscription_(std::move(subscription)) {
    thread_ = std::thread([this] { Deliver(); });
  }

  bool Blocks() const { return subscription_.overflow == Subscription::Overflow::kBlock; }
  bool Wants(const EventPayload& payload) const { return !disabled_ && subscription_.wants(payload); }
  bool MustWait(const EventPayload& payload) const { return Blocks() && Wants(payload) && Full(); }
  void WaitForRoom(std::unique_lock<std::mutex>& lock) {
    room_.wait(lock, [this] { return disabled_ || !Full(); });
  }

  void Enqueue(const EventPtr& event) {
    if (!Wants(event->payload)) return;
    if (!IsLifecycle(event->payload)) Coalesce(event);
    if (Full() && !Blocks()) {
      while (!queue_.empty() && queue_.front() == nullptr) queue_.pop_front();
      queue_.pop_front();
      --waiting_;
      ++dropped_;
    }
    queue_.push_back(event);
    ++waiting_;
    if (idle_ || Full()) ready_.notify_one();
  }

  void Stop() {
    stopping_ = true;
    ready_.notify_one();
  }
  void Join() { thread_.join(); }

 private:
  bool Full() const { return waiting_ >= subscription_.capacity; }

  // Of what is for watching only the latest of its kind and stage matters: the one that still waits becomes an empty
  // place.
  void Coalesce(const EventPtr& event) {
    for (auto it = queue_.rbegin(); it != queue_.rend() && it - queue_.rbegin() < 64; ++it) {
      if (*it == nullptr || (*it)->payload.index() != event->payload.index() || IsLifecycle((*it)->payload)) continue;
      if ((*it)->context.stage != event->context.stage || (*it)->context.instance != event->context.instance) continue;
      *it = nullptr;
      --waiting_;
      return;
    }
  }

  void Deliver() {
    std::unique_lock lock(bus_->mutex_);
    for (;;) {
      idle_ = true;
      ready_.wait(lock, [this] { return stopping_ || waiting_ > 0; });
      idle_ = false;
      ready_.wait_for(lock, kGather, [this] { return stopping_ || Full(); });
      if (waiting_ == 0) return;
      std::deque<EventPtr> batch = std::exchange(queue_, {});
      waiting_ = 0;
      const std::uint64_t dropped = std::exchange(dropped_, 0);
      room_.notify_all();
      lock.unlock();
      if (dropped > 0) Call(Told(*FirstOf(batch), dropped));
      for (const EventPtr& event : batch) {
        if (event != nullptr) Call(*event);
      }
      lock.lock();
    }
  }

  static const EventPtr& FirstOf(const std::deque<EventPtr>& batch) {
    std::size_t i = 0;
    while (batch[i] == nullptr) ++i;
    return batch[i];
  }

  // Says what is missing before `next`; it is for this subscriber alone and has the number of the last one dropped.
  Event Told(const Event& next, std::uint64_t dropped) const {
    RunContext context;
    context.run_id = next.context.run_id;
    context.workflow = next.context.workflow;
    return Event{next.seq - 1, context, next.time, next.monotonic, EventsDropped{subscription_.name, dropped}};
  }

  void Call(const Event& event) noexcept {
    if (failures_ >= kFailuresAllowed) return;
    std::string reason;
    try {
      subscription_.deliver(event);
      return;
    } catch (const std::exception& error) {
      reason = error.what();
    } catch (...) {
      reason = "an exception of unknown type";
    }
    ++failures_;
    const bool disabled = failures_ >= kFailuresAllowed;
    RunContext context;
    context.run_id = event.context.run_id;
    context.workflow = event.context.workflow;
    std::unique_lock lock(bus_->mutex_);
    if (disabled) disabled_ = true;
    room_.notify_all();
    bus_->PublishLocked(context, HookFailed{subscription_.name, reason, disabled});
  }

  EventBus* const bus_;
  const Subscription subscription_;
  std::condition_variable ready_;
  std::condition_variable room_;
  std::deque<EventPtr> queue_;  // nullptr: an event that a later one replaced
  std::size_t waiting_ = 0;     // events in the queue
  std::uint64_t dropped_ = 0;
  bool idle_ = false;  // the thread waits for a first event
  bool disabled_ = false;
  bool stopping_ = false;
  int failures_ = 0;  // used by the subscriber's own thread only
  std::thread thread_;
};

EventBus::EventBus(Clock* clock, std::uint64_t last_seq, const Masker* masker)
    : clock_(clock), masker_(masker), last_seq_(last_seq) {}

EventBus::~EventBus() { Close(); }

void EventBus::Subscribe(Subscription subscription) {
  auto subscriber = std::make_unique<Subscriber>(this, std::move(subscription));
  const std::lock_guard lock(mutex_);
  subscribers_.push_back(std::move(subscriber));
}

void EventBus::Publish(const RunContext& context, EventPayload payload) noexcept {
  if (masker_ != nullptr) MaskTexts(*masker_, &payload);
  std::unique_lock lock(mutex_);
  // Waiting gives the lock away, so after each wait all are asked again.
  for (bool waited = true; waited && !closed_;) {
    waited = false;
    for (const auto& subscriber : subscribers_) {
      if (!subscriber->MustWait(payload)) continue;
      subscriber->WaitForRoom(lock);
      waited = true;
    }
  }
  PublishLocked(context, std::move(payload));
}

void EventBus::PublishLocked(const RunContext& context, EventPayload payload) {
  if (closed_) return;
  const auto event =
      std::make_shared<const Event>(Event{++last_seq_, context, clock_->Wall(), clock_->Steady(), std::move(payload)});
  for (const auto& subscriber : subscribers_) subscriber->Enqueue(event);
}

void EventBus::Close() noexcept {
  // The journal last: it still hears of those who fail at what they get at the very end.
  for (const auto last : {false, true}) {
    const auto now = [&](const auto& subscriber) { return subscriber->Blocks() == last; };
    {
      const std::lock_guard lock(mutex_);
      for (const auto& subscriber : subscribers_) {
        if (now(subscriber)) subscriber->Stop();
      }
    }
    for (const auto& subscriber : subscribers_) {
      if (now(subscriber)) subscriber->Join();
    }
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  subscribers_.clear();
}

}  // namespace cosmos
