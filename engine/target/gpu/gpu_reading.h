#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cosmos {

// One GPU of a host at one moment. What its driver does not tell is nullopt.
struct GpuFacts {
  int index = 0;  // as nvidia-smi counts, by PCI bus
  std::string uuid;
  std::string name;
  std::optional<double> utilization;         // 0 to 1
  std::optional<std::int64_t> memory_used;   // bytes
  std::optional<std::int64_t> memory_total;  // bytes
  std::optional<std::int64_t> memory_free;   // bytes; less than the rest, as the driver keeps some for itself
  std::optional<double> temperature;         // degrees Celsius
  std::optional<double> power;               // watts
  std::optional<double> sm_clock;            // MHz
  std::optional<double> memory_clock;        // MHz
  bool mig = false;                          // it is divided into MIG devices, and tells no utilisation of its own

  // The part of its memory that is in use, 0 to 1.
  std::optional<double> MemoryPart() const;
};

// A process that computes on a GPU.
struct GpuProcess {
  std::string gpu_uuid;  // of the GPU, or of a MIG device of it
  std::int64_t pid = 0;
  std::string name;
  std::optional<std::int64_t> memory;  // bytes
};

struct MigDevice {
  int gpu = 0;  // GpuFacts::index
  std::string profile;
  std::string uuid;
};

// What a host's nvidia-smi told at one moment. A value; compares nothing, contacts nothing.
struct GpuReading {
  bool present = false;  // there is an nvidia-smi
  std::string driver;    // version, or empty
  std::string cuda;      // the newest version that the driver knows; only when details were asked for
  std::vector<GpuFacts> gpus;
  std::vector<GpuProcess> processes;
  std::vector<MigDevice> mig_devices;
  int exit_status = 0;  // of the question for GPUs
  std::string problem;  // what was wrong, for people; what else was told stands here all the same

  // Whether nothing is wrong as far as it goes: there may be no GPU at all.
  bool ok() const { return problem.empty(); }
};

// {"present", "exit_status", "driver", "cuda", "gpus": [{"index", "uuid", "name", "utilization", "memory_used", …}],
// "processes": […], "mig_devices": […], "problem"}, with the members' names and units; null for what is not known.
nlohmann::json ToJson(const GpuReading& reading);
nlohmann::json ToJson(const GpuFacts& gpu);
// Throw nlohmann::json::exception when it has another shape.
GpuReading GpuReadingFromJson(const nlohmann::json& json);
GpuFacts GpuFactsFromJson(const nlohmann::json& json);

}  // namespace cosmos
