// SPDX-License-Identifier: BSL-1.0
#include "testing/fake_gpus.h"

#include <chrono>
#include <utility>

namespace cosmos::sdk::testing {

using nlohmann::json;

void FakeGpus::SetGpus(const std::string& target, int count) {
  json gpus = json::array();
  for (int i = 0; i < count; ++i) {
    gpus.push_back({{"index", i}, {"uuid", "GPU-" + std::to_string(i)}, {"name", "H100"}, {"utilization", i / 100.0}});
  }
  SetReading(target, {{"present", true},
                      {"driver", "550.1"},
                      {"cuda", "12.4"},
                      {"gpus", gpus},
                      {"processes", json::array()},
                      {"mig_devices", json::array()},
                      {"problem", nullptr}});
}

void FakeGpus::SetReading(const std::string& target, const json& reading) {
  const std::lock_guard lock(mutex_);
  readings_[target] = reading;
}

bool FakeGpus::AwaitSamples(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return kept_.wait_for(lock, std::chrono::minutes(1), [&] { return samples_.size() >= count; });
}

std::vector<FakeGpus::Sample> FakeGpus::samples() const {
  const std::lock_guard lock(mutex_);
  return samples_;
}

std::size_t FakeGpus::questions() const {
  const std::lock_guard lock(mutex_);
  return questions_;
}

std::size_t FakeGpus::questions_for_details() const {
  const std::lock_guard lock(mutex_);
  return details_;
}

std::string FakeGpus::Read(const std::string& target, bool details, std::string* error) {
  const std::lock_guard lock(mutex_);
  ++questions_;
  if (details) ++details_;
  const json& reading = readings_[target];
  if (reading.is_object()) return reading.dump();
  *error = reading.is_string() ? reading.get<std::string>() : "there is no such target";
  return "";
}

void FakeGpus::Keep(Sample sample) {
  const std::lock_guard lock(mutex_);
  samples_.push_back(std::move(sample));
  kept_.notify_all();
}

}  // namespace cosmos::sdk::testing
