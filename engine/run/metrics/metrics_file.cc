#include "run/metrics/metrics_file.h"

#include <exception>
#include <utility>

#include "core/files.h"
#include "run/metrics/store_metrics.h"

namespace cosmos {
namespace {

constexpr std::size_t kCapacity = 65536;  // events; one that is lost is missing in a figure

}  // namespace

MetricsFile::MetricsFile(Order order, std::string workflow, std::set<std::string> stages, std::set<std::string> ended)
    : order_(std::move(order)),
      run_(order_.context.run_id, std::move(workflow), std::move(stages), std::move(ended)),
      thread_([this] { WriteNowAndThen(); }) {}

MetricsFile::~MetricsFile() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (begun_) Write();
}

Subscription MetricsFile::Subscribe() {
  const auto deliver = [this](const Event& event) {
    run_.OnEvent(event);
    const std::lock_guard lock(mutex_);
    if (!std::exchange(begun_, true)) changed_.notify_one();
  };
  return {"metrics-file", Subscription::Overflow::kDropOldest, kCapacity,
          [](const EventPayload& payload) { return !std::holds_alternative<LogAvailable>(payload); }, deliver};
}

void MetricsFile::WriteNowAndThen() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return begun_ || stopping_; });
  while (!stopping_) {
    lock.unlock();
    Write();
    lock.lock();
    changed_.wait_for(lock, order_.interval, [this] { return stopping_; });
  }
}

void MetricsFile::Write() noexcept {
  try {
    MetricsText text;
    AddStoreMetrics(order_.store, &text);
    run_.AddTo(&text);
    WriteFileAtomically(order_.path, text.text(), kShared);
    failing_ = false;
  } catch (const std::exception& error) {
    if (std::exchange(failing_, true)) return;
    order_.logger->Log(LogLevel::kWarning, order_.context,
                       std::string("the metrics file could not be written: ") + error.what());
  }
}

}  // namespace cosmos
