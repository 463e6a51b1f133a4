#include "target/gpu/gpu_row.h"

#include <algorithm>
#include <vector>

#include "core/text.h"
#include "target/gpu/gpu_text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostText = 80;
constexpr double kMostIndex = 1000;
// The first and the last column of sensors that some drivers cannot read of GPUs that work: power and clocks.
constexpr std::size_t kFirstSensor = 9, kLastSensor = 11;

// Whatever the driver says, no more than all of a GPU's memory is in use or free.
void BoundMemory(GpuFacts* gpu) {
  if (gpu->memory_total.value_or(0) <= 0) return;
  for (auto* part : {&gpu->memory_used, &gpu->memory_free}) {
    if (*part) *part = std::min(**part, *gpu->memory_total);
  }
}

}  // namespace

std::optional<GpuFacts> GpuOfRow(const std::string& row, std::size_t columns, std::string* driver) {
  std::vector<std::string> cells = CellsOf(row);
  if (columns > kGpuColumns || columns + 2 < kGpuColumns || cells.size() < columns) return std::nullopt;
  if (columns + 2 == kGpuColumns) cells.insert(cells.begin() + 2, "");
  const auto index = NumberIn(cells[0], 0, kMostIndex);
  if (!index) return std::nullopt;
  const bool tells_mig = columns == kGpuColumns;
  const std::size_t name = kLastSensor + (tells_mig ? 2 : 1);
  GpuFacts gpu;
  gpu.index = static_cast<int>(*index);
  gpu.uuid = UuidIn(cells[1]);
  gpu.bus_id = BusIdIn(cells[2]) == cells[2] ? cells[2] : "";
  *driver = CleanGpuText(cells[3], kMostText);
  gpu.utilization = NumberIn(cells[4], 0, 100);
  if (gpu.utilization) *gpu.utilization /= 100;
  gpu.memory_used = BytesOfMib(cells[5]);
  gpu.memory_total = BytesOfMib(cells[6]);
  gpu.memory_free = BytesOfMib(cells[7]);
  BoundMemory(&gpu);
  gpu.temperature = NumberIn(cells[8], -50, 250);
  gpu.power = NumberIn(cells[9], 0, 10000);
  gpu.sm_clock = NumberIn(cells[10], 0, 100000);
  gpu.memory_clock = NumberIn(cells[11], 0, 100000);
  gpu.mig = tells_mig && cells[12] == "Enabled";
  gpu.name = CleanGpuText(Join({cells.begin() + static_cast<std::ptrdiff_t>(name), cells.end()}, ", "), kMostText);
  for (std::size_t i = 1; i <= name && gpu.fault.empty(); ++i) {
    const bool essential = i < kFirstSensor || i == name;
    gpu.fault = CleanGpuText(FaultIn(cells[i], essential), kMostText);
  }
  return gpu;
}

}  // namespace cosmos
