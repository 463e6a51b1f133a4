#include "run/run_log_path.h"

#include "store/attempt.h"

#include <map>
#include <utility>
#include <vector>

namespace cosmos {

std::string LogOfRun(const RunState& run, RunStore* store) {
  const std::vector<StageInstance>& instances = run.plan().instances;
  std::map<std::string, InstanceState> states;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const StageInstance& instance = instances[i];
    InstanceState state = run.Get(i);
    if (instance.is_tolerated()) state.failure = {};
    states[instance.key()] = std::move(state);
  }
  std::string log;
  for (const StageRecord& record : store->StagesOf(run.run_id())) {
    const auto state = states.find(StageKey(record));
    if (state == states.end() || record.attempt != state->second.attempt || record.log_path.empty()) continue;
    if (state->second.status == Status::kFailed && state->second.failure) return record.log_path;
    log = record.log_path;
  }
  return log;
}

}  // namespace cosmos
