#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cosmos {

// One GPU of a host at one moment. What its driver does not tell is nullopt.
struct GpuFacts {
  int index = 0;       // as nvidia-smi counts, by PCI bus
  std::string uuid;    // empty: not known
  std::string bus_id;  // its PCI address
  std::string name;
  std::string fault;                         // why it does not work; empty: it does
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

// A process that uses a GPU.
struct GpuProcess {
  std::string gpu_uuid;  // of the GPU, or of a MIG device of it; empty: not known
  std::int64_t pid = 0;  // 0: not known
  std::string name;
  std::optional<std::int64_t> memory;   // bytes
  std::string user;                     // empty: not known
  std::optional<std::int64_t> started;  // milliseconds since the epoch
  bool draws = false;                   // it only draws, as a desktop does
};

// A GPU that the driver cannot reach, and so does not list.
struct LostGpu {
  std::string gpu;  // what is known of it, such as "GPU 3 (0000:4F:00.0)"
  std::string fault;
};

struct MigDevice {
  int gpu = 0;  // GpuFacts::index
  std::string profile;
  std::string uuid;
};

// What a host's nvidia-smi told at one moment. A value; compares nothing, contacts nothing.
struct GpuReading {
  bool present = false;  // there is an nvidia-smi
  bool whole = false;    // the host's answer came to its end: otherwise even what is missing above is not known
  bool lists = false;    // the driver says which GPUs there are; otherwise it did not answer, or failed altogether
  std::string driver;    // version, or empty
  std::string cuda;      // the newest version that the driver knows; only when details were asked for
  std::vector<GpuFacts> gpus;
  std::vector<LostGpu> lost;
  std::vector<GpuProcess> processes;
  std::vector<MigDevice> mig_devices;
  int exit_status = 0;  // of the question for GPUs
  std::string problem;  // what was wrong, for people; what else was told stands here all the same

  // Whether nothing is wrong as far as it goes: there may be no GPU at all.
  bool ok() const { return problem.empty(); }
  // Whether it is certain which GPUs the host has. Without that nothing may be concluded from `gpus`.
  bool knows_gpus() const { return whole && present && lists; }
  // Whether it is certain that there is no nvidia-smi.
  bool knows_none() const { return whole && !present; }
  // What does not work, for people, such as "GPU 1: GPU requires reset"; empty: all works.
  std::string Faults() const;
};

// {"present", "whole", "lists", "exit_status", "driver", "cuda", "gpus": [{"index", "uuid", "name", "fault", …}],
// "lost": […], "processes": […], "mig_devices": […], "problem"}, with the members' names and units; null for what is
// not known.
nlohmann::json ToJson(const GpuReading& reading);
nlohmann::json ToJson(const GpuFacts& gpu);
// Throw nlohmann::json::exception when it has another shape.
GpuReading GpuReadingFromJson(const nlohmann::json& json);
GpuFacts GpuFactsFromJson(const nlohmann::json& json);

}  // namespace cosmos
