#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/run_context.h"
#include "store/records.h"
#include "target/gpu/gpu_reading.h"

namespace cosmos {

// What lies between two samples that are further apart was not watched.
constexpr std::int64_t kLongestSampleGap = 60'000;  // milliseconds

// What the GPUs of a stage attempt did at one moment.
struct GpuSeriesSample {
  std::int64_t time = 0;  // milliseconds since the epoch
  std::vector<GpuFacts> gpus;
};

// The samples of one stage attempt, in a file: a line of JSON that tells the GPUs ({"v": 1, "gpus": […], "columns":
// […]}), and below it, for each sample, {"t": time, "INDEX": [value of each column, or null]}. Another such head may
// follow, of an engine that went on. Appended to by one thread.
class GpuSeries {
 public:
  explicit GpuSeries(std::filesystem::path file) : file_(std::move(file)) {}

  // Throws Error{kIo}.
  void Append(const GpuSeriesSample& sample);
  // All that the file holds; lines that are cut short or of another making are left out, and a file that is not there
  // holds nothing.
  static std::vector<GpuSeriesSample> Load(const std::filesystem::path& file);

 private:
  const std::filesystem::path file_;
  std::vector<std::string> told_;  // the uuids of the last head
};

// What the samples of an attempt come to, for each of its GPUs: means over the time, energy by the trapezoidal rule.
// Gaps beyond kLongestSampleGap do not count.
class GpuUsageSum {
 public:
  void Add(const GpuSeriesSample& sample);
  // In the order of the GPUs' numbers.
  std::vector<GpuUsageRecord> Records(const RunContext& attempt) const;
  // The most memory that one of them held, in bytes; 0 when none told.
  std::int64_t PeakMemory() const;

 private:
  struct Sum {
    GpuUsageRecord record;
    std::optional<std::int64_t> last_time;
    std::optional<double> last_utilization;
    std::optional<double> last_power;
    double utilization_seconds = 0;  // watched with the utilisation told
    double utilization_area = 0;
  };

  std::map<int, Sum> sums_;
};

}  // namespace cosmos
