#pragma once

#include <memory>
#include <vector>

#include "plugin/hook_plugin.h"
#include "run/run_services.h"
#include "workflow/plan.h"
#include "workflow/scope.h"

namespace cosmos {

// The hooks of one run: started before its first event, stopped after its last. A hook that fails changes nothing about
// the run. Used by one thread.
class HookRunner {
 public:
  // Starts the hooks and subscribes them. `scope` is what their parameters may refer
  // to. A hook that cannot start is told of in the run's log, and left out. The
  // services must outlive the runner, and the runner the bus's last event.
  HookRunner(const RunServices* services, const std::vector<HookUse>& hooks, const RunContext& context,
             const Scope& scope);
  // Tells each hook that the run is over; after the bus was closed.
  void Stop();

 private:
  void Complain(const std::exception& error) const;

  const RunServices& services_;
  cosmos_run run_;  // as the hooks see it
  std::vector<std::unique_ptr<HookPlugin>> hooks_;
};

}  // namespace cosmos
