#include "job/gpu_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/json_values.h"
#include "core/text.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::int64_t kBusyMemory = std::int64_t{1} << 30;  // more than the driver and its daemons hold by themselves
constexpr std::size_t kMostNames = 3;
constexpr std::size_t kRunWidth = 11;

// `python3 (4242, 20.1 GB)`.
std::string NameOf(const GpuProcess& process) {
  const std::string file = process.name.substr(process.name.find_last_of('/') + 1);
  const std::string memory =
      process.memory ? fmt::format(", {:.1f} GB", static_cast<double>(*process.memory) / 1e9) : "";
  return fmt::format("{} ({}{})", TruncateUtf8(file, 40), process.pid, memory);
}

std::string UsersOf(const GpuFacts& gpu, const GpuReading& reading) {
  std::set<std::string> uuids = {gpu.uuid};
  for (const MigDevice& device : reading.mig_devices) {
    if (device.gpu == gpu.index) uuids.insert(device.uuid);
  }
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const GpuProcess& process : reading.processes) {
    if (!uuids.contains(process.gpu_uuid)) continue;
    if (names.size() == kMostNames) {
      ++more;
    } else {
      names.push_back(NameOf(process));
    }
  }
  if (!names.empty()) return Join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
  if (gpu.memory_used.value_or(0) < kBusyMemory) return "";
  return fmt::format("something that holds {:.1f} GB", static_cast<double>(*gpu.memory_used) / 1e9);
}

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

// `waits for 2 GPUs of 'gpu1'`.
std::string Waits(const GpuClaimRecord& mine) {
  return fmt::format("waits for {} of '{}'", Counted(mine.gpus, "GPU"), mine.target);
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
    for (const json& gpu : json::parse(claim.devices)) {
      const auto text = [&](const char* key) { return gpu.at(key).is_null() ? "" : gpu.at(key).get<std::string>(); };
      gpus.push_back({gpu.at("index"), text("uuid"), text("name")});
    }
  } catch (const json::exception&) {
    return {};
  }
  return gpus;
}

std::vector<GpuCandidate> CandidatesOf(const GpuReading& reading, int most) {
  std::vector<GpuCandidate> candidates;
  for (const GpuFacts& gpu : reading.gpus) {
    if (most > 0 && candidates.size() == static_cast<std::size_t>(most)) break;
    candidates.push_back({{gpu.index, gpu.uuid, gpu.name}, UsersOf(gpu, reading)});
  }
  return candidates;
}

GpuDecision DecideGpus(const GpuClaimRecord& mine, const std::vector<GpuClaimRecord>& claims,
                       const std::vector<GpuCandidate>& candidates, bool ignore_others) {
  for (const GpuClaimRecord& claim : claims) {
    if (claim.host == mine.host && claim.devices.empty() && !claim.asleep && ComesBefore(claim, mine)) {
      return {{}, Waits(mine) + ": " + NameOf(claim) + " came before", false};
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
    } else if (!ignore_others && !candidate.used_by.empty()) {
      ++used_by_others;
      why.push_back(fmt::format("GPU {} is used by {}, of no run here", candidate.gpu.index, candidate.used_by));
    } else {
      decision.gpus.push_back(candidate.gpu);
    }
  }
  if (decision.gpus.size() == wanted) return decision;
  decision.somebody_else = decision.gpus.size() + used_by_others >= wanted;
  decision.gpus.clear();
  decision.reason = Waits(mine) + ": " + Join(why, "; ");
  return decision;
}

}  // namespace cosmos
