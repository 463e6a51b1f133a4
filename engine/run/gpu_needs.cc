#include "run/gpu_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>
#include <optional>

#include "core/text.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;

constexpr double kMiB = 1048576;
constexpr std::size_t kMostSaid = 300;
constexpr const char* kAsk = "add `resources: {gpus: 1}` to the stage, and `gpus:` to its target";
constexpr double kNoGpu[] = {6, 9, 18};  // no devices, no driver, a driver of another version than its library

struct Gpu {
  std::string driver;
  std::optional<double> total_gb;
  std::optional<double> free_gb;
};

std::optional<double> Gigabytes(const std::string& mib) {
  char* end = nullptr;
  const double number = std::strtod(mib.c_str(), &end);
  return end == mib.c_str() ? std::nullopt : std::optional<double>(number * kMiB / 1e9);
}

std::vector<Gpu> GpusOf(const TargetFacts& answers) {
  std::vector<Gpu> gpus;
  for (const std::string& row : answers.All("gpu")) {
    const std::size_t first = row.find(", ");
    const std::size_t second = first == row.npos ? first : row.find(", ", first + 2);
    if (second == row.npos) continue;  // a warning of the program's
    gpus.push_back({row.substr(0, first), Gigabytes(row.substr(first + 2, second - first - 2)),
                    Gigabytes(row.substr(second + 2))});
  }
  return gpus;
}

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

// Whether the user's own words for the container engine see to it.
bool ArgsGiveGpus(const nlohmann::json& container) {
  const auto args = container.value("args", std::vector<std::string>());
  return std::any_of(args.begin(), args.end(), [](const std::string& arg) {
    return arg.rfind("--gpus", 0) == 0 || arg.rfind("--runtime", 0) == 0 || arg.rfind("--device", 0) == 0;
  });
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

  void Memory(int index, const Gpu& gpu) {
    const double wanted = needs_.gpu_memory_gb;
    if (wanted <= 0) return;
    if (!gpu.free_gb) {
      Add(Severity::kWarning,
          fmt::format("how much memory is free on GPU {} is not known, expected {:g} GB", index, wanted),
          "look there with `nvidia-smi`");
    } else if (gpu.total_gb && *gpu.total_gb < wanted) {
      Add(Severity::kError,
          fmt::format("GPU {} has {:.1f} GB of memory, expected {:g} GB", index, *gpu.total_gb, wanted),
          "choose a target with larger GPUs; to try it all the same, `--no-preflight`");
    } else if (*gpu.free_gb < wanted) {
      Add(Severity::kError,
          fmt::format("GPU {} has {:.1f} GB of memory free, expected {:g} GB", index, *gpu.free_gb, wanted),
          "`nvidia-smi` there tells what uses the rest; end that or wait for it, or choose another target");
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

PreflightFindings JudgeGpus(const StageNeeds& needs, const TargetFacts& answers) {
  if (needs.gpu_memory_gb <= 0 && needs.driver.empty()) return {};
  Judge judge(needs);
  const auto status = answers.Number("nvidia_smi");
  if (!status) {
    judge.Add(Severity::kWarning, "there is no nvidia-smi, so that GPUs and driver are not known",
              "install NVIDIA's driver there, if it is missing");
    return judge.findings();
  }
  if (*status != 0) {
    const bool none = std::find(std::begin(kNoGpu), std::end(kNoGpu), *status) != std::end(kNoGpu);
    judge.Add(none ? Severity::kError : Severity::kWarning,
              fmt::format("nvidia-smi fails with status {:g}: {}", *status,
                          TruncateUtf8(Join(answers.All("gpu"), " "), kMostSaid)),
              "mend the driver there: reload or reinstall it, or restart the machine");
    return judge.findings();
  }
  const std::vector<Gpu> gpus = GpusOf(answers);
  const int found = static_cast<int>(gpus.size());
  if (found < needs.gpus) {
    judge.Add(Severity::kError, fmt::format("nvidia-smi tells of {}, expected {}", Counted(found, "GPU"), needs.gpus),
              "ask for fewer (`resources: {gpus: N}`), or choose another target");
  }
  if (found > 0) judge.Driver(gpus[0].driver);
  for (int i = 0; i < std::min(found, needs.gpus); ++i) judge.Memory(i, gpus[static_cast<std::size_t>(i)]);
  return judge.findings();
}

}  // namespace cosmos
