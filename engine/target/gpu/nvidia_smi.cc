#include "target/gpu/nvidia_smi.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr int kLongest = 8;  // seconds for one call
constexpr double kMiB = 1048576;
constexpr std::size_t kMostSaid = 300;
constexpr const char* kFields =
    "index,uuid,name,driver_version,utilization.gpu,memory.used,memory.total,memory.free,temperature.gpu,power.draw,"
    "clocks.sm,clocks.mem";
constexpr const char* kMigField = ",mig.mode.current";  // unknown to drivers before 450
constexpr std::size_t kFieldsBehindName = 9;            // without the one for MIG
constexpr std::size_t kFieldsBeforeName = 2;

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::vector<std::string> Cells(std::string_view row) {
  std::vector<std::string> cells;
  for (std::size_t at = 0; at <= row.size();) {
    const std::size_t comma = std::min(row.find(',', at), row.size());
    cells.push_back(Trimmed(row.substr(at, comma - at)));
    at = comma + 1;
  }
  return cells;
}

std::optional<double> Number(const std::string& cell) {
  char* end = nullptr;
  const double number = std::strtod(cell.c_str(), &end);
  if (end == cell.c_str() || *end != '\0' || !std::isfinite(number) || number < 0) return std::nullopt;
  return number;
}

std::optional<std::int64_t> Bytes(const std::string& mib) {
  const auto number = Number(mib);
  return number && *number < 1e9 ? std::optional(static_cast<std::int64_t>(*number * kMiB)) : std::nullopt;
}

// A row of the question for GPUs; nothing when it is something else, such as a warning.
std::optional<GpuFacts> ParseGpu(std::string_view row, std::string* driver) {
  std::vector<std::string> cells = Cells(row);
  bool mig = false;
  if (cells.size() > kFieldsBeforeName + 1 + kFieldsBehindName) {
    mig = cells.back() == "Enabled";
    cells.pop_back();
  }
  if (cells.size() < kFieldsBeforeName + 1 + kFieldsBehindName) return std::nullopt;
  const auto index = Number(cells[0]);
  if (!index || *index > 1000) return std::nullopt;
  const std::size_t behind = cells.size() - kFieldsBehindName;
  GpuFacts gpu;
  gpu.index = static_cast<int>(*index);
  gpu.uuid = cells[1];
  gpu.name = Join({cells.begin() + kFieldsBeforeName, cells.begin() + static_cast<std::ptrdiff_t>(behind)}, ", ");
  *driver = cells[behind];
  gpu.utilization = Number(cells[behind + 1]);
  if (gpu.utilization) *gpu.utilization /= 100;
  gpu.memory_used = Bytes(cells[behind + 2]);
  gpu.memory_total = Bytes(cells[behind + 3]);
  gpu.memory_free = Bytes(cells[behind + 4]);
  gpu.temperature = Number(cells[behind + 5]);
  gpu.power = Number(cells[behind + 6]);
  gpu.sm_clock = Number(cells[behind + 7]);
  gpu.memory_clock = Number(cells[behind + 8]);
  gpu.mig = mig;
  return gpu;
}

// A row `UUID, PID, NAME, MIB`, whose name may hold commas.
std::optional<GpuProcess> ParseProcess(std::string_view row) {
  const std::vector<std::string> cells = Cells(row);
  if (cells.size() < 4) return std::nullopt;
  const auto pid = Number(cells[1]);
  if (!pid || *pid > 1e15) return std::nullopt;
  return GpuProcess{cells[0], static_cast<std::int64_t>(*pid), Join({cells.begin() + 2, cells.end() - 1}, ", "),
                    Bytes(cells.back())};
}

// Lines of `nvidia-smi -L`: `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)`, and below it, indented,
// `MIG 1g.5gb     Device  0: (UUID: MIG-…)`.
void AddDevice(std::string_view line, int* gpu, GpuReading* reading) {
  const std::string text = Trimmed(line);
  if (text.rfind("GPU ", 0) == 0) *gpu = std::atoi(text.c_str() + 4);
  const std::size_t uuid = text.find("(UUID: ");
  if (text.rfind("MIG ", 0) != 0 || uuid == text.npos) return;
  const std::string rest = text.substr(4);
  const std::size_t begin = uuid + 7;
  reading->mig_devices.push_back(
      {*gpu, rest.substr(0, rest.find(' ')), text.substr(begin, text.find(')', begin) - begin)});
}

std::string ProblemOf(int status, const std::vector<std::string>& said, bool any_gpu) {
  const std::string words = TruncateUtf8(Join(said, " "), kMostSaid);
  if (status == 124 || status == 137) return fmt::format("nvidia-smi did not answer within {} s", kLongest);
  if (status != 0) return fmt::format("nvidia-smi fails with status {}: {}", status, words);
  if (!words.empty()) return "nvidia-smi says: " + words;
  return any_gpu ? "" : "nvidia-smi tells of no GPU";
}

// Where the driver does not tell how much memory is used (one pool for GPU and CPU, as on GB10), its processes do.
void AddMemoryOfProcesses(GpuReading* reading) {
  for (GpuFacts& gpu : reading->gpus) {
    if (gpu.memory_used) continue;
    for (const GpuProcess& process : reading->processes) {
      if (process.gpu_uuid != gpu.uuid || !process.memory) continue;
      gpu.memory_used = gpu.memory_used.value_or(0) + *process.memory;
    }
  }
}

std::string Question(const std::string& words) {
  return fmt::format("timeout -k 1 {} nvidia-smi {} --format=csv,noheader,nounits 2>&1", kLongest, words);
}

}  // namespace

std::string GpuScript(bool details) {
  std::string script =
      "if command -v nvidia-smi >/dev/null 2>&1; then\n"
      "  tell_gpu() { while IFS= read -r line || [ -n \"$line\" ]; do printf '%s %s\\n' \"$1\" \"$line\"; done; }\n"
      "  says=$(LC_ALL=C; export LC_ALL; " +
      Question(std::string("--query-gpu=") + kFields + kMigField) +
      ")\n"
      "  status=$?\n"
      "  case $says in *'is not a valid field'*) says=$(" +
      Question(std::string("--query-gpu=") + kFields) +
      "); status=$? ;; esac\n"
      "  echo \"nvidia_smi $status\"\n"
      "  printf '%s\\n' \"$says\" | tell_gpu gpu\n"
      "  if [ $status = 0 ]; then\n"
      "    " +
      Question("--query-compute-apps=gpu_uuid,pid,process_name,used_memory") + " | tell_gpu app\n";
  const std::string devices = fmt::format("timeout -k 1 {} nvidia-smi -L 2>&1 | tell_gpu device", kLongest / 2);
  if (details) {
    script += fmt::format(
        "    timeout -k 1 {} nvidia-smi 2>&1 | sed -n 's/.*CUDA Version: *\\([0-9.]*\\).*/cuda \\1/p'\n    {}\n",
        kLongest / 2, devices);
  } else {  // whose processes are told by them
    script += "    case $says in *', Enabled'*) " + devices + " ;; esac\n";
  }
  return script + "  fi\nfi\n";
}

GpuReading ParseGpuAnswer(std::string_view output) {
  GpuReading reading;
  int status = -1, gpu = 0;
  std::vector<std::string> said;
  for (const std::string& line : SplitLines(output)) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view key = std::string_view(line).substr(0, space);
    const std::string_view rest = std::string_view(line).substr(std::min(space + 1, line.size()));
    if (key == "nvidia_smi") {
      reading.present = true;
      status = std::atoi(std::string(rest).c_str());
    } else if (key == "gpu") {
      if (auto facts = ParseGpu(rest, &reading.driver)) {
        reading.gpus.push_back(std::move(*facts));
      } else if (const std::string text = Trimmed(rest); !text.empty()) {
        said.push_back(text);
      }
    } else if (key == "app") {
      if (auto process = ParseProcess(rest)) reading.processes.push_back(std::move(*process));
    } else if (key == "cuda") {
      reading.cuda = Trimmed(rest);
    } else if (key == "device") {
      AddDevice(rest, &gpu, &reading);
    }
  }
  if (reading.present) {
    reading.exit_status = status;
    reading.problem = ProblemOf(status, said, !reading.gpus.empty());
  }
  AddMemoryOfProcesses(&reading);
  return reading;
}

GpuReading ReadGpus(Target* target, bool details) {
  const TargetOutput output = target->Run(GpuScript(details), std::chrono::seconds(kGpuScriptTime));
  GpuReading reading = ParseGpuAnswer(output.output);
  if (output.timed_out && reading.ok()) {
    reading.present = true;
    reading.problem = fmt::format("nvidia-smi did not answer within {} s", kGpuScriptTime);
  }
  return reading;
}

}  // namespace cosmos
