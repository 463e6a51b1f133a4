#include "job/gpu_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json_values.h"
#include "core/text.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kRunWidth = 11;

bool AreTheSame(const LeasedGpu& a, const std::string& host_a, const LeasedGpu& b, const std::string& host_b) {
  if (!a.uuid.empty() && !b.uuid.empty()) return a.uuid == b.uuid;
  return host_a == host_b && a.index == b.index;
}

const GpuClaimRecord* HolderOf(const LeasedGpu& gpu, const std::string& host,
                               const std::vector<GpuClaimRecord>& claims) {
  for (const GpuClaimRecord& claim : claims) {
    for (const LeasedGpu& held : LeasedGpusOf(claim)) {
      if (AreTheSame(gpu, host, held, claim.host)) return &claim;
    }
  }
  return nullptr;
}

bool ComesBefore(const GpuClaimRecord& claim, const GpuClaimRecord& mine) {
  if (claim.priority != mine.priority) return claim.priority > mine.priority;
  return mine.id == 0 || claim.id < mine.id;
}

std::string NameOf(const GpuClaimRecord& claim) {
  return fmt::format("stage '{}' of run {}", StageKey(claim), claim.run_id.substr(0, kRunWidth));
}

}  // namespace

json ToJson(const std::vector<LeasedGpu>& gpus) {
  json list = json::array();
  for (const LeasedGpu& gpu : gpus) {
    list.push_back({{"index", gpu.index}, {"uuid", TextOrNull(gpu.uuid)}, {"name", TextOrNull(gpu.name)}});
  }
  return list;
}

std::vector<LeasedGpu> LeasedGpusOf(const GpuClaimRecord& claim) {
  std::vector<LeasedGpu> gpus;
  try {
    if (claim.devices.empty()) return {};
    for (const json& gpu : ParseJson(claim.devices, kOwnJson)) {
      const auto text = [&](const char* key) { return gpu.at(key).is_null() ? "" : gpu.at(key).get<std::string>(); };
      gpus.push_back({gpu.at("index"), text("uuid"), text("name")});
    }
  } catch (const std::exception&) {
    return {};
  }
  return gpus;
}

std::string WaitReason(const GpuClaimRecord& mine, const std::string& why) {
  return fmt::format("waits for {} of '{}': {}", Counted(mine.gpus, "GPU"), mine.target, why);
}

GpuDecision DecideGpus(const GpuClaimRecord& mine, const std::vector<GpuClaimRecord>& claims,
                       const std::vector<GpuCandidate>& candidates, bool ignore_others) {
  for (const GpuClaimRecord& claim : claims) {
    if (claim.host == mine.host && claim.devices.empty() && !claim.asleep && ComesBefore(claim, mine)) {
      return {{}, WaitReason(mine, NameOf(claim) + " came before"), false, fmt::format("behind {}", claim.id)};
    }
  }
  const std::size_t wanted = static_cast<std::size_t>(mine.gpus);
  GpuDecision decision;
  std::vector<std::string> why;
  std::size_t used_by_others = 0;
  for (const GpuCandidate& candidate : candidates) {
    if (decision.gpus.size() == wanted) break;
    if (const GpuClaimRecord* holder = HolderOf(candidate.gpu, mine.host, claims)) {
      why.push_back(fmt::format("GPU {} is held by {}", candidate.gpu.index, NameOf(*holder)));
      decision.subject += fmt::format("{} held {}; ", candidate.gpu.index, holder->id);
    } else if (!ignore_others && !candidate.used_by.empty()) {
      ++used_by_others;
      why.push_back(fmt::format("GPU {}: {}", candidate.gpu.index, candidate.used_by));
      decision.subject += fmt::format("{} used {}; ", candidate.gpu.index, candidate.user_key);
    } else {
      decision.gpus.push_back(candidate.gpu);
    }
  }
  if (decision.gpus.size() == wanted) return decision;
  decision.somebody_else = decision.gpus.size() + used_by_others >= wanted;
  decision.gpus.clear();
  decision.reason = WaitReason(mine, Join(why, "; "));
  if (decision.somebody_else) decision.reason += "; set `gpu_busy: ignore` to share it";
  return decision;
}

}  // namespace cosmos
