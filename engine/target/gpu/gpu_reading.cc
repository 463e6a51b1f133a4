#include "target/gpu/gpu_reading.h"

#include "core/json_values.h"

namespace cosmos {
namespace {

using nlohmann::json;

template <typename Number>
json OrNull(const std::optional<Number>& number) {
  return number ? json(*number) : json();
}

template <typename Number>
void Read(const json& from, const char* key, std::optional<Number>* number) {
  const auto found = from.find(key);
  if (found != from.end() && !found->is_null()) *number = found->get<Number>();
}

void Read(const json& from, const char* key, std::string* text) {
  const auto found = from.find(key);
  if (found != from.end() && !found->is_null()) *text = found->get<std::string>();
}

}  // namespace

std::optional<double> GpuFacts::MemoryPart() const {
  if (!memory_used || !memory_total || *memory_total <= 0) return std::nullopt;
  return static_cast<double>(*memory_used) / static_cast<double>(*memory_total);
}

std::string GpuReading::Faults() const {
  std::string faults;
  const auto add = [&](const std::string& gpu, const std::string& fault) {
    faults += (faults.empty() ? "" : "; ") + gpu + ": " + fault;
  };
  for (const GpuFacts& gpu : gpus) {
    if (!gpu.fault.empty()) add("GPU " + std::to_string(gpu.index), gpu.fault);
  }
  for (const LostGpu& gpu : lost) add(gpu.gpu, gpu.fault);
  return faults;
}

json ToJson(const GpuFacts& gpu) {
  return {{"index", gpu.index},
          {"uuid", TextOrNull(gpu.uuid)},
          {"bus_id", TextOrNull(gpu.bus_id)},
          {"name", TextOrNull(gpu.name)},
          {"fault", TextOrNull(gpu.fault)},
          {"utilization", OrNull(gpu.utilization)},
          {"memory_used", OrNull(gpu.memory_used)},
          {"memory_total", OrNull(gpu.memory_total)},
          {"memory_free", OrNull(gpu.memory_free)},
          {"temperature", OrNull(gpu.temperature)},
          {"power", OrNull(gpu.power)},
          {"sm_clock", OrNull(gpu.sm_clock)},
          {"memory_clock", OrNull(gpu.memory_clock)},
          {"mig", gpu.mig}};
}

GpuFacts GpuFactsFromJson(const json& from) {
  GpuFacts gpu;
  gpu.index = from.at("index");
  Read(from, "uuid", &gpu.uuid);
  Read(from, "bus_id", &gpu.bus_id);
  Read(from, "name", &gpu.name);
  Read(from, "fault", &gpu.fault);
  Read(from, "utilization", &gpu.utilization);
  Read(from, "memory_used", &gpu.memory_used);
  Read(from, "memory_total", &gpu.memory_total);
  Read(from, "memory_free", &gpu.memory_free);
  Read(from, "temperature", &gpu.temperature);
  Read(from, "power", &gpu.power);
  Read(from, "sm_clock", &gpu.sm_clock);
  Read(from, "memory_clock", &gpu.memory_clock);
  gpu.mig = from.value("mig", false);
  return gpu;
}

json ToJson(const GpuReading& reading) {
  json gpus = json::array(), lost = json::array(), processes = json::array(), mig_devices = json::array();
  for (const GpuFacts& gpu : reading.gpus) gpus.push_back(ToJson(gpu));
  for (const GpuProcess& process : reading.processes) {
    processes.push_back({{"gpu_uuid", process.gpu_uuid},
                         {"pid", process.pid},
                         {"name", process.name},
                         {"memory", OrNull(process.memory)},
                         {"user", TextOrNull(process.user)},
                         {"started", OrNull(process.started)},
                         {"draws", process.draws}});
  }
  for (const LostGpu& gpu : reading.lost) lost.push_back({{"gpu", gpu.gpu}, {"fault", gpu.fault}});
  for (const MigDevice& device : reading.mig_devices) {
    mig_devices.push_back({{"gpu", device.gpu}, {"profile", device.profile}, {"uuid", device.uuid}});
  }
  return {{"present", reading.present},
          {"whole", reading.whole},
          {"lists", reading.lists},
          {"exit_status", reading.exit_status},
          {"driver", TextOrNull(reading.driver)},
          {"cuda", TextOrNull(reading.cuda)},
          {"gpus", gpus},
          {"lost", lost},
          {"processes", processes},
          {"mig_devices", mig_devices},
          {"problem", TextOrNull(reading.problem)}};
}

GpuReading GpuReadingFromJson(const json& from) {
  GpuReading reading;
  reading.present = from.at("present");
  reading.whole = from.at("whole");
  reading.lists = from.at("lists");
  reading.exit_status = from.at("exit_status");
  Read(from, "driver", &reading.driver);
  Read(from, "cuda", &reading.cuda);
  Read(from, "problem", &reading.problem);
  for (const json& gpu : from.at("gpus")) reading.gpus.push_back(GpuFactsFromJson(gpu));
  for (const json& gpu : from.at("lost")) reading.lost.push_back({gpu.at("gpu"), gpu.at("fault")});
  for (const json& process : from.at("processes")) {
    GpuProcess read;
    read.gpu_uuid = process.at("gpu_uuid");
    read.pid = process.at("pid");
    read.name = process.at("name");
    Read(process, "memory", &read.memory);
    Read(process, "user", &read.user);
    Read(process, "started", &read.started);
    read.draws = process.value("draws", false);
    reading.processes.push_back(std::move(read));
  }
  for (const json& device : from.at("mig_devices")) {
    reading.mig_devices.push_back({device.at("gpu"), device.at("profile"), device.at("uuid")});
  }
  return reading;
}

}  // namespace cosmos
