#include "run/gpu/gpu_samples.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "run/preflight/gpu_needs.h"
#include "run/targets/target_set.h"
#include "store/attempt.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr auto kPatience = std::chrono::seconds(10);  // for another process that asks the host

std::string KeyOf(const RunContext& attempt) { return attempt.key() + "/" + std::to_string(attempt.attempt); }

// Of `STAGE[.INSTANCE]/ATTEMPT`; a stage's name has no dot.
RunContext AttemptOf(const std::string& job, RunContext run) {
  const std::size_t slash = job.rfind('/'), dot = job.find('.');
  const char* const end = job.data() + job.size();
  if (slash == job.npos || slash == 0 || std::from_chars(job.data() + slash + 1, end, run.attempt).ptr != end) {
    throw Error(ErrorCode::kPlugin, "'" + job + "' names no job; expected STAGE[.INSTANCE]/ATTEMPT");
  }
  run.stage = job.substr(0, std::min(dot, slash));
  if (dot < slash) run.instance = job.substr(dot + 1, slash - dot - 1);
  return run;
}

}  // namespace

GpuSamples::GpuSamples(const RunServices* services, const GpuCache* cache, const Plan* plan, RunContext run)
    : services_(*services), cache_(*cache), plan_(*plan), run_(std::move(run)) {}

json GpuSamples::ReadGpus(const std::string& target, Duration longest_age, bool details) {
  const auto found = services_.targets->find(target);
  if (found == services_.targets->end()) {
    throw Error(ErrorCode::kNotFound, "the run has no target '" + target + "'");
  }
  if (details) return ToJson(cosmos::ReadGpus(found->second, true));
  const GpuState state = cache_.Read(CacheKeyOf(plan_.targets.at(target)), found->second, longest_age, kPatience);
  if (!state.failure.empty()) throw Error(ErrorCode::kUnavailable, state.failure);
  return ToJson(state.reading);
}

bool GpuSamples::CannotUseGpus(const RunContext& attempt) const {
  const auto instance =
      std::find_if(plan_.instances.begin(), plan_.instances.end(), [&](const StageInstance& candidate) {
        return candidate.stage == attempt.stage && candidate.instance == attempt.instance;
      });
  if (instance == plan_.instances.end() || instance->container.is_null() || ArgsGiveGpus(instance->container)) {
    return false;
  }
  // A step of `retry.on_oom` may have given it some.
  const std::vector<GpuClaimRecord> claims = services_.records->GpuClaims();
  return instance->gpus == 0 && std::none_of(claims.begin(), claims.end(), [&](const GpuClaimRecord& claim) {
           return claim.run_id == attempt.run_id && AreOfOneAttempt(claim, attempt);
         });
}

GpuSamples::OfAttempt& GpuSamples::Find(const RunContext& attempt) {
  std::unique_ptr<OfAttempt>& of_attempt = attempts_[KeyOf(attempt)];
  if (of_attempt == nullptr) {
    const std::filesystem::path file = services_.paths->GpuSeries(attempt);
    of_attempt = std::make_unique<OfAttempt>(file);
    for (const GpuSeriesSample& sample : GpuSeries::Load(file)) of_attempt->sum.Add(sample);
  }
  return *of_attempt;
}

void GpuSamples::KeepGpuSample(const std::string& job, const std::string& target, const json& gpus) {
  const RunContext attempt = AttemptOf(job, run_);
  if (CannotUseGpus(attempt)) return;
  GpuSeriesSample sample;
  sample.time = UnixMilliseconds(services_.clock->Wall());
  for (const json& gpu : gpus) sample.gpus.push_back(GpuFactsFromJson(gpu));
  std::vector<GpuUsageRecord> usages;
  {
    const std::lock_guard lock(mutex_);
    OfAttempt& of_attempt = Find(attempt);
    of_attempt.series.Append(sample);
    of_attempt.sum.Add(sample);
    usages = of_attempt.sum.Records(attempt);
  }
  services_.store->Write([usages](RunStore& store) {
    for (GpuUsageRecord usage : usages) store.PutGpuUsage(&usage);
  });
  services_.bus->Publish(attempt, GpuSample{target, gpus});
}

std::int64_t GpuSamples::PeakMemory(const RunContext& attempt) const {
  const std::lock_guard lock(mutex_);
  const auto found = attempts_.find(KeyOf(attempt));
  return found == attempts_.end() ? 0 : found->second->sum.PeakMemory();
}

}  // namespace cosmos
