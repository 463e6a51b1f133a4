#include "run/hook_runner.h"

#include "core/error.h"
#include "run/gpu/gpu_samples.h"
#include "workflow/expression.h"

namespace cosmos {

HookRunner::HookRunner(const RunServices* services, const std::vector<HookUse>& hooks, const RunContext& context,
                       const Scope& scope)
    : services_(*services), run_{&services->jobs->logs(), services->logger, context, services->samples} {
  for (const HookUse& use : hooks) {
    try {
      PluginLibrary& library = services_.plugins->Get(use.id);
      auto hook = std::make_unique<HookPlugin>(&library);
      hook->Start(&run_, library.Checker().Checked(Resolve(use.with, scope)));
      HookPlugin* const plugin = hook.get();
      hooks_.push_back(std::move(hook));
      services_.bus->Subscribe({use.id, Subscription::Overflow::kDropOldest, 4096,
                                [plugin](const EventPayload& payload) { return plugin->Wants(payload); },
                                [plugin](const Event& event) { plugin->OnEvent(event); }});
    } catch (const Error& error) {
      Complain(error);
    }
  }
}

void HookRunner::Stop() {
  for (const auto& hook : hooks_) {
    try {
      hook->Stop();
    } catch (const Error& error) {
      Complain(error);
    }
  }
}

void HookRunner::Complain(const std::exception& error) const {
  services_.logger->Log(LogLevel::kWarning, run_.context, error.what());
}

}  // namespace cosmos
