#pragma once

#include <string>
#include <string_view>

#include "target/gpu/gpu_reading.h"
#include "target/target.h"

namespace cosmos {

// What is asked of a host's nvidia-smi, and what its answers mean. The fields are those that `nvidia-smi
// --help-query-gpu` and `--help-query-compute-apps` tell; answers that are no numbers ("[N/A]", "[Not Supported]",
// "[Unknown Error]", "[Insufficient Permissions]") count as not told. Nothing here throws for what a host says.

// A script of /bin/sh that asks for GPUs and processes, each question limited in time; `details` adds CUDA's version,
// for one more call of nvidia-smi, and always asks for MIG devices, else only where a GPU is divided into some. It
// prints
//   nvidia_smi        exit status of the question for GPUs; not without an nvidia-smi
//   gpu, app          what it says to the two questions, by lines
//   cuda, device      CUDA's version; what `nvidia-smi -L` says
std::string GpuScript(bool details);
// Seconds within which the script ends, unless the host hangs altogether.
constexpr int kGpuScriptTime = 20;

// What the script printed, also when it was cut short.
GpuReading ParseGpuAnswer(std::string_view output);
// Runs the script. Throws what Target::Run throws; a host that does not answer in time is a problem of the reading.
GpuReading ReadGpus(Target* target, bool details);

}  // namespace cosmos
