#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run/status/host_watch.h"
#include "store/run_store.h"

namespace cosmos {

// A host with what is known of it.
struct KnownHost {
  GarbagePlace place;
  HostState state;
};

// The runs whose records say that they have not ended.
std::vector<RunRecord> OpenRuns(RunStore* store);

// What `status` tells, as the JSON that scripts rely on (DESIGN 10):
//   targets   [{name, kind, host, reachable, problem, age, driver, gpu_problem, gpus: [facts of GpuFacts, and holder:
//             {run_id, stage, instance}, mig_devices: [{profile, uuid}]], containers: [{name, run_id, stage, instance,
//             running, state: active | orphan | unknown}], jobs: [{run_id, stage, instance, attempt, container, since,
//             found}]}]
//   runs      those that have not ended: [{…as `runs` has them, state: running | queued | interrupted | zombie, stages:
//             [{stage, instance, attempt, status, target, progress, started_at}], queued, lost_connections: [{target,
//             since, reason}]}]
//   orphans   [{target, kind, run_id, name}]: containers and processes of runs that have ended
// Ages are seconds. `found` is null when the host's list may lack the job, or is older than it. A zombie is a run whose
// record says that it goes on, with neither an engine nor, on hosts that all answered, anything of its own. `targets`
// are to be told of, by name; `hosts` may be more.
nlohmann::json StatusReport(const std::map<std::string, nlohmann::json>& targets, const std::vector<KnownHost>& hosts,
                            RunStore* store);

}  // namespace cosmos
