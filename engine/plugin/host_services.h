#pragma once

#include <cosmos/plugin.h>

#include <string>
#include <vector>

#include "core/logger.h"
#include "core/run_context.h"
#include "job/job_logs.h"
#include "plugin/gpu_host.h"
#include "plugin/task_host.h"

// What the plugins' opaque task is on this side of the ABI.
struct cosmos_task {
  cosmos::TaskHost* host;
};

// And the run of a hook. All it points to must outlive the hook.
struct cosmos_run {
  const cosmos::JobLogs* logs;
  cosmos::Logger* logger;
  cosmos::RunContext context;  // of the run as a whole
  cosmos::GpuHost* gpus;
};

namespace cosmos {

// The host that every plugin is given: services as C functions over TaskHost and, for hooks, over the run's job logs.
// No exception leaves them.
const cosmos_host* Host();
// The ids of all services there are, such as "cosmos.log/1".
std::vector<std::string> ServiceIds();

// Texts across the ABI.
inline cosmos_str ToAbi(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view FromAbi(cosmos_str text) { return {text.data, text.size}; }
// A sink that fills `text`, which must outlive it.
cosmos_sink SinkInto(std::string* text);

}  // namespace cosmos
