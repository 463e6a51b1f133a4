#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "target/gpu/gpu_reading.h"

namespace cosmos {

// Columns of a row of GpuScript. One less: without mig.mode.current; two less: without pci.bus_id either.
constexpr std::size_t kGpuColumns = 14;

// The GPU of a row, with the driver's version; nothing when it is something else, such as a warning.
std::optional<GpuFacts> GpuOfRow(const std::string& row, std::size_t columns, std::string* driver);

}  // namespace cosmos
