#include "run/preflight/gpu_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>

#include "core/text.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;

constexpr const char* kAsk = "add `resources: {gpus: 1}` to the stage, and `gpus:` to its target";
constexpr const char* kRepair =
    "reset them there (`nvidia-smi --gpu-reset`) or restart the machine, or choose another target";
constexpr int kNoGpu[] = {6, 9, 18};  // no devices, no driver, a driver of another version than its library

std::string Gigabytes(std::int64_t bytes) { return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9); }

// The numbers of "570.124.06"; none when it is no version.
std::vector<int> Version(const std::string& text) {
  std::vector<int> numbers;
  for (std::size_t at = 0; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));) {
    numbers.push_back(std::atoi(text.c_str() + at));
    const std::size_t dot = text.find('.', at);
    at = dot == text.npos ? text.size() : dot + 1;
  }
  return numbers;
}

class Judge {
 public:
  explicit Judge(const StageNeeds& needs) : needs_(needs) {}

  void Driver(const std::string& found) {
    if (needs_.driver.empty()) return;
    if (Version(found).empty()) {
      Add(Severity::kWarning,
          fmt::format("the version of NVIDIA's driver is not known ('{}'), expected {} or newer", found, needs_.driver),
          "look there with `nvidia-smi`");
    } else if (Version(found) < Version(needs_.driver)) {
      Add(Severity::kError, fmt::format("NVIDIA's driver is {}, expected {} or newer", found, needs_.driver),
          "install a newer driver there and restart the machine, or choose another target");
    }
  }

  // Whether there are as many GPUs that work as it needs.
  void Count(const GpuReading& reading) {
    const auto working =
        std::count_if(reading.gpus.begin(), reading.gpus.end(), [](const GpuFacts& gpu) { return gpu.fault.empty(); });
    const std::string faults = reading.Faults();
    if (working >= needs_.gpus) {
      if (!reading.ok() || !faults.empty()) {
        Add(Severity::kWarning, faults.empty() ? reading.problem : "GPUs that do not work: " + faults, kRepair);
      }
    } else if (faults.empty() && reading.exit_status == 0) {
      Add(Severity::kError, fmt::format("nvidia-smi lists {}, expected {}", Counted(working, "GPU"), needs_.gpus),
          "ask for fewer (`resources: {gpus: N}`), or choose another target");
    } else {
      Add(Severity::kError,
          fmt::format("{} {}, expected {}: {}", Counted(working, "GPU"), working == 1 ? "works" : "work", needs_.gpus,
                      faults.empty() ? reading.problem : faults),
          kRepair);
    }
  }

  // Whether as many GPUs as it needs have the memory. `measured` counts more than what the plugin says of its model.
  void Memory(const std::vector<GpuFacts>& gpus, std::int64_t measured) {
    const auto wanted = measured > 0 ? measured : static_cast<std::int64_t>(needs_.gpu_memory_gb * 1e9);
    if (wanted <= 0) return;
    const std::string expected = Gigabytes(wanted) + (measured > 0 ? ", as an earlier run took" : "");
    int large = 0, free = 0;
    std::string too_small, in_use;
    for (const GpuFacts& gpu : gpus) {
      if (!gpu.memory_total || !gpu.memory_free) {
        Add(Severity::kWarning,
            fmt::format("how much memory is free on GPU {} is not known, expected {}", gpu.index, expected),
            "look there with `nvidia-smi`");
        ++large;
        ++free;
      } else if (*gpu.memory_total < wanted) {
        too_small += fmt::format("{}GPU {} has {} of memory", too_small.empty() ? "" : ", ", gpu.index,
                                 Gigabytes(*gpu.memory_total));
      } else if (++large; *gpu.memory_free < wanted) {
        in_use += fmt::format("{}GPU {} has {} of memory free", in_use.empty() ? "" : ", ", gpu.index,
                              Gigabytes(*gpu.memory_free));
      } else {
        ++free;
      }
    }
    if (large < std::min(needs_.gpus, static_cast<int>(gpus.size()))) {
      Add(Severity::kError, too_small + ", expected " + expected,
          "choose a target with larger GPUs; to try it all the same, `--no-preflight`");
    } else if (free < std::min(needs_.gpus, static_cast<int>(gpus.size()))) {
      if (needs_.waits_for_gpus) {
        Add(Severity::kWarning, in_use + ", expected " + expected + ": the stage waits for it",
            "`cosmos-engine status` tells what uses the rest");
      } else {
        Add(Severity::kError, in_use + ", expected " + expected,
            "`nvidia-smi` there tells what uses the rest; end that or wait for it, or choose another target");
      }
    }
  }

  void Add(Severity severity, const std::string& message, const std::string& hint) {
    findings_.push_back({severity, needs_.stage, needs_.target, "", "", message, hint});
  }

  const PreflightFindings& findings() const { return findings_; }

 private:
  const StageNeeds& needs_;
  PreflightFindings findings_;
};

}  // namespace

bool ArgsGiveGpus(const nlohmann::json& container) {
  const auto args = container.value("args", std::vector<std::string>());
  return std::any_of(args.begin(), args.end(), [](const std::string& arg) {
    return arg.rfind("--gpus", 0) == 0 || arg.rfind("--runtime", 0) == 0 || arg.rfind("--device", 0) == 0;
  });
}

PreflightFindings JudgeResources(const StageNeeds& needs) {
  if ((needs.gpu_memory_gb <= 0 && needs.driver.empty()) || needs.gpus_asked) return {};
  Judge judge(needs);
  const std::string wanted = fmt::format("the job needs a GPU, and `resources.gpus` is not given ({})", needs.where);
  if (needs.container.is_null() || ArgsGiveGpus(needs.container)) {
    judge.Add(Severity::kWarning, wanted + ": nothing keeps other stages off the one that it will use", kAsk);
  } else {
    judge.Add(Severity::kError, wanted + ": its container gets none", kAsk);
  }
  return judge.findings();
}

PreflightFindings JudgeGpus(const StageNeeds& needs, const GpuReading& reading, std::int64_t measured_memory) {
  const bool of_model = needs.gpu_memory_gb > 0 || !needs.driver.empty();
  if (!of_model && !needs.gpus_asked) return {};
  Judge judge(needs);
  if (reading.knows_none()) {
    if (of_model) {  // otherwise they are counted by `gpus:`, against which the workflow was checked
      judge.Add(Severity::kWarning, "there is no nvidia-smi, so that GPUs and driver are not known",
                "install NVIDIA's driver there, if it is missing");
    }
    return judge.findings();
  }
  if (!reading.knows_gpus()) {
    const bool none = std::find(std::begin(kNoGpu), std::end(kNoGpu), reading.exit_status) != std::end(kNoGpu);
    // A stage that only asks for GPUs waits for a driver that does not answer, or fails, by its `gpu_busy`.
    judge.Add(none && of_model ? Severity::kError : Severity::kWarning,
              reading.ok() ? "the target does not say which GPUs it has" : reading.problem,
              "fix the driver there: reload or reinstall it, or restart the machine");
    return judge.findings();
  }
  judge.Count(reading);
  std::vector<GpuFacts> working = reading.gpus;
  std::erase_if(working, [](const GpuFacts& gpu) { return !gpu.fault.empty(); });
  if (!working.empty()) judge.Driver(reading.driver);
  judge.Memory(working, measured_memory);
  return judge.findings();
}

}  // namespace cosmos
