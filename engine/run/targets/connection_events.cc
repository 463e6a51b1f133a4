#include "run/targets/connection_events.h"

namespace cosmos {

ConnectionEvents::ConnectionEvents(EventBus* bus, RunContext context) : bus_(*bus), context_(std::move(context)) {}

void ConnectionEvents::OnChange(const std::string& target, const ConnectionChange& change) {
  const std::lock_guard lock(mutex_);
  if (begun_) {
    Publish(target, change);
  } else {
    waiting_.emplace_back(target, change);
  }
}

void ConnectionEvents::Begin() {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  for (const auto& [target, change] : waiting_) Publish(target, change);
}

void ConnectionEvents::Publish(const std::string& target, const ConnectionChange& change) {
  switch (change.kind) {
    case ConnectionChange::Kind::kConnected:
      bus_.Publish(context_, TargetConnected{target});
      break;
    case ConnectionChange::Kind::kLost:
      bus_.Publish(context_, TargetLost{target, change.reason});
      break;
    case ConnectionChange::Kind::kReconnected:
      bus_.Publish(context_, TargetReconnected{target});
      break;
  }
}

}  // namespace cosmos
