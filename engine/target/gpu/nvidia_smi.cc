#include "target/gpu/nvidia_smi.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <utility>

#include "core/text.h"
#include "target/gpu/gpu_row.h"
#include "target/gpu/gpu_text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostSaid = 300;
constexpr std::size_t kMostName = 80;
constexpr std::size_t kMostGpus = 1000;  // and more processes and lines than that are not believed
constexpr double kMostPid = 1e9;
constexpr double kMostAge = 1e10;  // seconds

// The number behind "GPU", as in "GPU3: 0000:04:00.0: Unknown Error"; none for a PCI address right behind it.
std::optional<int> NumberOfGpu(std::string_view text) {
  const std::size_t at = text.find("GPU");
  if (at == text.npos) return std::nullopt;
  const std::string number = Trimmed(text.substr(at + 3, std::min(text.find(':', at), text.size()) - at - 3));
  const bool address = !BusIdIn(text).empty() && BusIdIn(text).rfind(number, 0) == 0 && number.size() > 3;
  const auto found = NumberIn(number, 0, kMostGpus);
  return address || !found ? std::nullopt : std::optional(static_cast<int>(*found));
}

class Parser {
 public:
  explicit Parser(WallTime now) : now_(UnixMilliseconds(now)) {}

  void Read(std::string_view key, std::string_view rest) {
    if (key == "nvidia_smi") {
      reading_.present = true;
      status_ = std::atoi(std::string(rest).c_str());
    } else if (key == "gpu_columns") {
      columns_ = static_cast<std::size_t>(std::max(std::atoi(std::string(rest).c_str()), 0));
    } else if (key == "gpu") {
      rows_.emplace_back(rest);
    } else if (key == "gpu_error") {
      errors_.emplace_back(rest);
    } else if (key == "app") {
      AddProcess(rest);
    } else if (key == "app_status") {
      app_status_ = std::atoi(std::string(rest).c_str());
    } else if (key == "pids") {
      pids_.emplace_back(rest);
    } else if (key == "ps") {
      AddUser(rest);
    } else if (key == "cuda") {
      reading_.cuda = CleanGpuText(rest, kMostName);
    } else if (key == "device") {
      AddDevice(rest);
    } else if (key == "no_nvidia_smi") {
      absent_ = true;
    } else if (key == "gpu_end") {
      reading_.whole = absent_ || reading_.present;
    }
  }

  GpuReading Finish() {
    std::vector<std::string> said;
    for (const std::string& row : rows_) {
      if (AddGpu(row) || AddLost(row)) continue;
      if (const std::string text = CleanGpuText(row, kMostSaid); !text.empty()) said.push_back(text);
    }
    std::vector<std::string> warned;
    for (const std::string& line : errors_) {
      if (AddLost(line)) continue;
      if (const std::string text = CleanGpuText(line, kMostSaid); !text.empty()) warned.push_back(text);
    }
    DropSharedUuids();
    for (const std::string& line : pids_) AddPidLine(line);
    AddUsers();
    AddMemoryOfProcesses();
    if (reading_.present) Judge(said, warned);
    return std::move(reading_);
  }

 private:
  // Takes a row of the question for GPUs; false when it is something else, such as a warning.
  bool AddGpu(const std::string& row) {
    std::string driver;
    std::optional<GpuFacts> gpu = GpuOfRow(row, columns_, &driver);
    const auto same = [&](const GpuFacts& known) { return known.index == gpu->index; };
    if (!gpu || reading_.gpus.size() >= kMostGpus) return false;
    if (std::any_of(reading_.gpus.begin(), reading_.gpus.end(), same)) return false;
    reading_.driver = driver;
    reading_.gpus.push_back(std::move(*gpu));
    return true;
  }

  // Takes a line about a GPU that the driver cannot reach, such as "Unable to determine the device handle for GPU3:
  // 0000:4F:00.0: Unknown Error"; false when it is something else.
  bool AddLost(const std::string& line) {
    const std::string text = CleanGpuText(line, kMostSaid);
    const bool lost = text.find("Unable to determine the device handle") != text.npos ||
                      text.find("GPU is lost") != text.npos || text.find("fallen off the bus") != text.npos;
    if (!lost) return false;
    const std::string bus_id = BusIdIn(text);
    const std::optional<int> index = NumberOfGpu(text);
    const std::string fault = CleanGpuText(text.substr(text.rfind(": ") == text.npos ? 0 : text.rfind(": ") + 2), 120);
    for (GpuFacts& gpu : reading_.gpus) {
      if (!AreSameBusId(gpu.bus_id, bus_id)) continue;
      if (gpu.fault.empty()) gpu.fault = fault;
      return true;
    }
    std::string gpu = index ? fmt::format("GPU {}", *index) : "GPU";
    if (!bus_id.empty()) gpu += index ? " (" + bus_id + ")" : " " + bus_id;
    const auto same = [&](const LostGpu& known) { return known.gpu == gpu; };
    if (std::none_of(reading_.lost.begin(), reading_.lost.end(), same) && reading_.lost.size() < kMostGpus) {
      reading_.lost.push_back({gpu, fault});
    }
    return true;
  }

  // A UUID that several GPUs have tells none of them from another.
  void DropSharedUuids() {
    std::map<std::string, int> count;
    for (const GpuFacts& gpu : reading_.gpus) ++count[gpu.uuid];
    for (GpuFacts& gpu : reading_.gpus) {
      if (count[gpu.uuid] > 1) gpu.uuid.clear();
    }
  }

  // A row `UUID, PID, MIB, NAME`.
  void AddProcess(std::string_view row) {
    const std::vector<std::string> cells = CellsOf(row);
    if (cells.size() < 4 || reading_.processes.size() >= kMostGpus) return;
    const std::string uuid = UuidIn(cells[0]);
    const auto pid = NumberIn(cells[1], 1, kMostPid);
    if (uuid.empty() && !pid) return;
    GpuProcess process;
    process.gpu_uuid = uuid;
    process.pid = pid ? static_cast<std::int64_t>(*pid) : 0;
    process.memory = BytesOfMib(cells[2]);
    process.name = CleanGpuText(Join({cells.begin() + 3, cells.end()}, ", "), kMostName * 2);
    if (process.name.rfind('[', 0) == 0) process.name.clear();  // "[Insufficient Permissions]", "[Not Found]"
    reading_.processes.push_back(std::move(process));
  }

  // A line of `nvidia-smi -q -d PIDS`.
  void AddPidLine(const std::string& line) {
    const std::string text = Trimmed(line);
    const std::size_t colon = text.find(" : ");
    if (colon == text.npos) {
      if (text.rfind("GPU ", 0) == 0) pid_bus_id_ = BusIdIn(text);
      return;
    }
    const std::string key = Trimmed(text.substr(0, colon)), value = Trimmed(text.substr(colon + 3));
    if (key == "Process ID") {
      drawing_ = nullptr;
      const auto pid = NumberIn(value, 1, kMostPid);
      const auto on = std::find_if(reading_.gpus.begin(), reading_.gpus.end(),
                                   [&](const GpuFacts& gpu) { return AreSameBusId(gpu.bus_id, pid_bus_id_); });
      if (!pid || on == reading_.gpus.end() || reading_.processes.size() >= kMostGpus) return;
      const auto known = [&](const GpuProcess& process) {
        return process.pid == static_cast<std::int64_t>(*pid) && process.gpu_uuid == on->uuid;
      };
      if (std::any_of(reading_.processes.begin(), reading_.processes.end(), known)) return;
      drawing_ = &reading_.processes.emplace_back();
      drawing_->gpu_uuid = on->uuid;
      drawing_->pid = static_cast<std::int64_t>(*pid);
    } else if (drawing_ != nullptr && key == "Type") {
      drawing_->draws = value == "G";
    } else if (drawing_ != nullptr && key == "Name") {
      drawing_->name = CleanGpuText(value, kMostName * 2);
    } else if (drawing_ != nullptr && key == "Used GPU Memory") {
      drawing_->memory = BytesOfMib(Trimmed(value.substr(0, value.find("MiB"))));
    }
  }

  // `PID USER SECONDS`.
  void AddUser(std::string_view line) {
    const std::string text = Trimmed(line);
    const std::size_t first = text.find(' '), last = text.rfind(' ');
    const auto pid = NumberIn(text.substr(0, first), 1, kMostPid);
    if (!pid || last == text.npos || last <= first) return;
    User user{CleanGpuText(text.substr(first, last - first), kMostName), std::nullopt};
    if (const auto age = NumberIn(text.substr(last + 1), 0, kMostAge)) {
      user.started = now_ - static_cast<std::int64_t>(*age * 1000);
    }
    users_[static_cast<std::int64_t>(*pid)] = std::move(user);
  }

  void AddUsers() {
    for (GpuProcess& process : reading_.processes) {
      const auto found = users_.find(process.pid);
      if (found == users_.end()) continue;
      process.user = found->second.name;
      process.started = found->second.started;
    }
  }

  // Lines of `nvidia-smi -L`: `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)`, and below it, indented,
  // `MIG 1g.5gb     Device  0: (UUID: MIG-…)`.
  void AddDevice(std::string_view line) {
    const std::string text = Trimmed(line);
    if (text.rfind("GPU ", 0) == 0) device_ = std::atoi(text.c_str() + 4);
    const std::size_t begin = text.find("(UUID: ");
    if (text.rfind("MIG ", 0) != 0 || begin == text.npos || reading_.mig_devices.size() >= kMostGpus) return;
    const std::string rest = Trimmed(text.substr(4));
    const std::string uuid = UuidIn(text.substr(begin + 7, text.find(')', begin) - begin - 7));
    if (!uuid.empty()) {
      reading_.mig_devices.push_back({device_, CleanGpuText(rest.substr(0, rest.find(' ')), kMostName), uuid});
    }
  }

  // Where the driver does not tell how much memory is used (one pool for GPU and CPU, as on GB10), its processes do.
  void AddMemoryOfProcesses() {
    for (GpuFacts& gpu : reading_.gpus) {
      if (gpu.memory_used) continue;
      for (const GpuProcess& process : reading_.processes) {
        if (gpu.uuid.empty() || process.gpu_uuid != gpu.uuid || !process.memory) continue;
        gpu.memory_used = gpu.memory_used.value_or(0) + *process.memory;
      }
    }
  }

  // What the answer is worth. A question that ran into its limit may have left out any GPU, or any process.
  void Judge(const std::vector<std::string>& said, const std::vector<std::string>& warned) {
    const auto stopped = [](int status) { return status == 124 || status == 137; };
    const std::string all = Join(said, " ") + " " + Join(warned, " ");
    const bool none = all.find("No devices were found") != all.npos;
    reading_.exit_status = status_;
    reading_.lists =
        !stopped(status_) && !stopped(app_status_) && (!reading_.gpus.empty() || !reading_.lost.empty() || none);
    if (stopped(status_) || stopped(app_status_)) {
      reading_.problem = fmt::format("nvidia-smi did not answer within {} s", kGpuCallTime);
      return;
    }
    std::string words = TruncateUtf8(Join(said, " "), kMostSaid);
    if (words.empty() && status_ != 0) words = TruncateUtf8(Join(warned, " "), kMostSaid);
    for (const LostGpu& gpu : reading_.lost) words += (words.empty() ? "" : "; ") + gpu.gpu + ": " + gpu.fault;
    if (status_ != 0) {
      reading_.problem = fmt::format("nvidia-smi fails with status {}: {}", status_, words);
    } else if (!words.empty()) {
      reading_.problem = "nvidia-smi says: " + words;
    } else if (reading_.gpus.empty()) {
      reading_.problem = "nvidia-smi lists no GPU";
    }
  }

  struct User {
    std::string name;
    std::optional<std::int64_t> started;
  };

  const std::int64_t now_;
  GpuReading reading_;
  std::vector<std::string> rows_, errors_, pids_;
  std::map<std::int64_t, User> users_;  // by process
  std::string pid_bus_id_;              // of the GPU whose processes follow
  GpuProcess* drawing_ = nullptr;       // the process that is described
  std::size_t columns_ = kGpuColumns;
  int status_ = -1;
  int app_status_ = 0;
  int device_ = 0;
  bool absent_ = false;
};

}  // namespace

GpuReading ParseGpuAnswer(std::string_view output, WallTime now) {
  Parser parser(now);
  for (const std::string& line : SplitLines(output)) {
    const std::size_t space = std::min(line.find(' '), line.size());
    parser.Read(std::string_view(line).substr(0, space),
                std::string_view(line).substr(std::min(space + 1, line.size())));
  }
  return parser.Finish();
}

GpuReading ReadGpus(Target* target, bool details) {
  const TargetOutput output = target->Run(GpuScript(details), std::chrono::seconds(kGpuScriptTime));
  GpuReading reading = ParseGpuAnswer(output.output);
  if (output.timed_out) reading.whole = false;
  if (!reading.whole && reading.ok()) {
    reading.present = true;
    reading.problem = output.timed_out ? fmt::format("nvidia-smi did not answer within {} s", kGpuScriptTime)
                                       : "the question for its GPUs was not answered to its end";
  }
  return reading;
}

}  // namespace cosmos
