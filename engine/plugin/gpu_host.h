#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/clock.h"

namespace cosmos {

// What hooks may ask about the GPUs of their run's targets: the C++ side of cosmos.gpu/1, where the contracts stand.
// Functions may throw; the adapter turns that into a status. Thread-safe.
class GpuHost {
 public:
  virtual ~GpuHost() = default;

  virtual nlohmann::json ReadGpus(const std::string& target, Duration longest_age, bool details) = 0;
  virtual void KeepGpuSample(const std::string& job, const std::string& target, const nlohmann::json& gpus) = 0;
};

}  // namespace cosmos
