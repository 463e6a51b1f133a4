#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plugin/gpu_host.h"
#include "run/gpu/gpu_series.h"
#include "run/run_services.h"
#include "workflow/plan.h"

namespace cosmos {

// The GPU samples of one run: asks its targets through their connections, and keeps what the GPUs of its attempts did
// in the run's folder, in the store and on the bus. Thread-safe.
class GpuSamples final : public GpuHost {
 public:
  // The pointers must outlive this.
  GpuSamples(const RunServices* services, const GpuCache* cache, const Plan* plan, RunContext run);

  nlohmann::json ReadGpus(const std::string& target, Duration longest_age, bool details) override;
  void KeepGpuSample(const std::string& job, const std::string& target, const nlohmann::json& gpus) override;

  // The most memory that one GPU of the attempt held so far, in bytes; 0: not known.
  std::int64_t PeakMemory(const RunContext& attempt) const;

 private:
  struct OfAttempt {
    explicit OfAttempt(const std::filesystem::path& file) : series(file) {}
    GpuSeries series;
    GpuUsageSum sum;
  };

  // Whether the attempt's job is in a container that has no GPUs, so that those of the target are not its own.
  bool CannotUseGpus(const RunContext& attempt) const;
  OfAttempt& Find(const RunContext& attempt);  // REQUIRES: mutex_ is held.

  const RunServices& services_;
  const GpuCache& cache_;
  const Plan& plan_;
  const RunContext run_;
  mutable std::mutex mutex_;  // guards the next
  std::map<std::string, std::unique_ptr<OfAttempt>> attempts_;
};

}  // namespace cosmos
