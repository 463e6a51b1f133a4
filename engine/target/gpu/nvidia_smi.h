#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "target/gpu/gpu_reading.h"
#include "target/target.h"

namespace cosmos {

// What is asked of a host's nvidia-smi, and what its answers mean. The fields are those that `nvidia-smi
// --help-query-gpu` and `--help-query-compute-apps` list. Values that are not told ("[N/A]", "[Not Supported]",
// "[Insufficient Permissions]") or out of any range are not known; values that only a GPU out of order has
// ("[GPU requires reset]", "[GPU is lost]") are its fault. Nothing here throws for what a host says.

// A script of /bin/sh that asks for GPUs and processes, each question limited in time; `details` adds CUDA's version,
// for one more call of nvidia-smi, and always asks for MIG devices, otherwise only where a GPU is divided into some. It
// prints lines KEY VALUE:
//   no_nvidia_smi     there is none; what follows, up to `gpu_end`, is left out
//   gpu_columns       how many columns the rows for GPUs have
//   gpu, nvidia_smi   the rows, and the exit status of the question
//   app, app_status   the same of processes that compute
//   pids              what `nvidia-smi -q -d PIDS` says, where memory is in use by none of them
//   ps                PID USER SECONDS of their processes
//   cuda, device      CUDA's version; what `nvidia-smi -L` says
//   gpu_error         what nvidia-smi says on stderr
//   gpu_end           without a value; the answer is complete
std::string GpuScript(bool details);
// Seconds within which the script ends, unless the host hangs altogether, and those of one call of nvidia-smi.
constexpr int kGpuScriptTime = 20;
constexpr int kGpuCallTime = 8;

// What the script printed at `now`, also when it was cut short.
GpuReading ParseGpuAnswer(std::string_view output, WallTime now = std::chrono::system_clock::now());
// Runs the script. Throws what Target::Run throws; a host that does not answer in time is a problem of the reading.
GpuReading ReadGpus(Target* target, bool details);

}  // namespace cosmos
