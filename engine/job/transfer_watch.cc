#include "job/transfer_watch.h"

#include <algorithm>
#include <utility>

namespace cosmos {

TransferWatch::TransferWatch(EventBus* bus, Clock* clock, RunContext context, TransferEnded event)
    : bus_(bus), clock_(clock), context_(std::move(context)), event_(std::move(event)), begin_(clock->Steady()) {}

TransferWatch::~TransferWatch() {
  if (event_.bytes > 0) bus_->Publish(context_, std::move(event_));
}

// A target tells first what is there, and then what has been added.
TransferWatch::Listener TransferWatch::Around(Listener listener) {
  return [this, listener = std::move(listener)](double done, double total, std::string_view phase) {
    if (there_ < 0) there_ = done;
    event_.bytes = std::max(event_.bytes, static_cast<std::int64_t>(done - there_));
    event_.duration = clock_->Steady() - begin_;
    if (listener) listener(done, total, phase);
  };
}

}  // namespace cosmos
