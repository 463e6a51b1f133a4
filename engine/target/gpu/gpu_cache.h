#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/shared_cache.h"
#include "target/gpu/gpu_reading.h"
#include "target/target.h"

namespace cosmos {

// What was last known of a host's GPUs.
struct GpuState {
  GpuReading reading;
  std::optional<Duration> age;  // of the reading; none: there never was one
  std::string failure;          // why there is no newer one; empty: there is
};

// Readings of hosts' GPUs that all processes of a user share: within an age that its readers can live with, a host is
// asked once. Thread-safe; a value.
class GpuCache {
 public:
  // See SharedCache.
  explicit GpuCache(const std::filesystem::path& folder) : cache_(folder) {}

  // `host` tells the target's host from others. What goes wrong is told in the state; throws nothing else than that.
  GpuState Read(const std::string& host, Target* target, Duration longest_age, Duration patience) const;
  // The same with a target that is made only when it is to be asked.
  GpuState Read(const std::string& host, const std::function<Target*()>& target, Duration longest_age,
                Duration patience) const;
  // What there is, without asking.
  GpuState Peek(const std::string& host) const;

 private:
  SharedCache cache_;
};

// For how long a reading is good enough for whoever only looks.
constexpr auto kGpuReadingAge = std::chrono::seconds(2);

}  // namespace cosmos
