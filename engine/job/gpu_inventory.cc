#include "job/gpu_inventory.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::int64_t kBusyMemory = std::int64_t{1} << 30;  // more than the driver and its daemons hold by themselves
constexpr std::size_t kMostNames = 3;

// `18:02`, or `2026-11-24 18:02` of another day, in this machine's time zone.
std::string SinceText(std::int64_t started) {
  const auto local = [](std::int64_t milliseconds) {
    const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
  };
  const std::tm then = local(started), now = local(UnixMilliseconds(std::chrono::system_clock::now()));
  char text[32] = "";
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  ::strftime(text, sizeof text, today ? "%H:%M" : "%Y-%m-%d %H:%M", &then);
  return text;
}

// `python3 (pid 4242, user anna) since 18:02`.
std::string NameOf(const GpuProcess& process) {
  const std::string file = TruncateUtf8(process.name.substr(process.name.find_last_of('/') + 1), 40);
  std::string text = file.empty() ? "a program" : file;
  if (process.pid != 0) {
    text += fmt::format(" (pid {}{})", process.pid, process.user.empty() ? "" : ", user " + process.user);
  }
  if (process.started && *process.started > 0) text += " since " + SinceText(*process.started);
  return text;
}

// Whether a process is on the GPU, or, when it does not say on which one it is, may be there.
bool MayBeOn(const GpuProcess& process, const GpuFacts& gpu, const GpuReading& reading) {
  if (process.gpu_uuid.rfind("MIG-", 0) == 0) {
    for (const MigDevice& device : reading.mig_devices) {
      if (device.uuid == process.gpu_uuid) return device.gpu == gpu.index;
    }
    return gpu.mig;
  }
  const auto listed = [&](const GpuFacts& other) { return other.uuid == process.gpu_uuid; };
  if (process.gpu_uuid.empty() || std::none_of(reading.gpus.begin(), reading.gpus.end(), listed)) {
    return gpu.uuid.empty();
  }
  return process.gpu_uuid == gpu.uuid;
}

void AddUse(const GpuFacts& gpu, const GpuReading& reading, GpuCandidate* candidate) {
  const bool holds_memory = gpu.memory_used.value_or(0) >= kBusyMemory;
  std::vector<std::string> names;
  std::size_t more = 0;
  std::int64_t memory = 0;
  for (const GpuProcess& process : reading.processes) {
    if (!MayBeOn(process, gpu, reading) || (process.draws && !holds_memory)) continue;
    memory += process.memory.value_or(0);
    candidate->user_key += fmt::format("{} ", process.pid);
    if (names.size() == kMostNames) {
      ++more;
    } else {
      names.push_back(NameOf(process));
    }
  }
  if (names.empty() && !holds_memory) return;
  memory = std::max(memory, gpu.memory_used.value_or(0));
  candidate->used_by =
      memory > 0 ? fmt::format("{:.1f} GB in use by ", static_cast<double>(memory) / 1e9) : "in use by ";
  if (names.empty()) {
    candidate->used_by += "a program that nvidia-smi does not name";
    candidate->user_key = "?";
    return;
  }
  candidate->used_by += Join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

GpuInventory Not(GpuInventory::Kind kind, const std::string& reason) { return {kind, {}, reason}; }

}  // namespace

std::vector<GpuCandidate> CandidatesOf(const GpuReading& reading, int most) {
  std::vector<GpuCandidate> candidates;
  for (const GpuFacts& gpu : reading.gpus) {
    if ((most > 0 && gpu.index >= most) || !gpu.fault.empty()) continue;
    candidates.push_back({{gpu.index, gpu.uuid, gpu.name}, "", ""});
    AddUse(gpu, reading, &candidates.back());
  }
  return candidates;
}

GpuInventory CountedInventory(int wanted, int most) {
  GpuInventory inventory;
  const int count = most > 0 ? std::max(most, wanted) : wanted;
  for (int i = 0; i < count; ++i) inventory.candidates.push_back({{i, "", ""}, "", ""});
  return inventory;
}

GpuInventory InventoryOf(const GpuState& state, const std::string& target, int wanted, int most, Duration longest_age) {
  const GpuReading& reading = state.reading;
  using Kind = GpuInventory::Kind;
  if (!state.age || *state.age > longest_age) {
    return Not(Kind::kSilent,
               state.failure.empty() ? "'" + target + "' has not said yet which GPUs it has" : state.failure);
  }
  if (reading.knows_none()) return CountedInventory(wanted, most);
  if (!reading.knows_gpus()) {
    return Not(Kind::kSilent, "target '" + target +
                                  "': " + (reading.ok() ? "it does not say which GPUs it has" : reading.problem) +
                                  "; the driver is asked again");
  }
  GpuInventory inventory;
  inventory.candidates = CandidatesOf(reading, most);
  const std::int64_t found = static_cast<std::int64_t>(inventory.candidates.size());
  if (found >= wanted) return inventory;
  const std::string faults = reading.Faults();
  if (faults.empty() && reading.exit_status == 0) {
    return Not(Kind::kTooFew, fmt::format("nvidia-smi lists {} on '{}', expected {}; ask for fewer, or choose another "
                                          "target",
                                          Counted(found, "GPU"), target, wanted));
  }
  return Not(Kind::kTooFewWork,
             fmt::format("{} on '{}' {}, expected {}; {}; reset it (`nvidia-smi --gpu-reset`), restart the machine, or "
                         "choose another target",
                         Counted(found, "GPU"), target, found == 1 ? "works" : "work", wanted,
                         faults.empty() ? reading.problem : faults));
}

}  // namespace cosmos
