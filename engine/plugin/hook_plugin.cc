#include "plugin/hook_plugin.h"

#include <algorithm>

#include "core/error.h"
#include "plugin/stage_plugin.h"

namespace cosmos {

HookPlugin::HookPlugin(PluginLibrary* library)
    : facts_(library->facts()), entry_(library->Entry()), instance_(nullptr) {
  std::string reason;
  instance_ = entry_.create(SinkInto(&reason));
  if (instance_ == nullptr) Check(COSMOS_ERROR, "create", reason);
}

HookPlugin::~HookPlugin() { entry_.destroy(instance_); }

void HookPlugin::Start(cosmos_run* run, const nlohmann::json& parameters) {
  std::string reason;
  if (entry_.attach != nullptr) Check(entry_.attach(instance_, run, SinkInto(&reason)), "attach", reason);
  const std::string context_text = ToJson(run->context).dump(), parameters_text = parameters.dump();
  Check(entry_.start(instance_, ToAbi(context_text), ToAbi(parameters_text), SinkInto(&reason)), "start", reason);
}

bool HookPlugin::Wants(const EventPayload& payload) const {
  return facts_.events.empty() ||
         std::find(facts_.events.begin(), facts_.events.end(), TypeName(payload)) != facts_.events.end();
}

void HookPlugin::OnEvent(const Event& event) {
  std::string reason;
  const std::string text = ToJson(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  Check(entry_.on_event(instance_, ToAbi(text), SinkInto(&reason)), "on_event", reason);
}

void HookPlugin::Stop() {
  std::string reason;
  Check(entry_.stop(instance_, SinkInto(&reason)), "stop", reason);
}

void HookPlugin::Check(cosmos_status status, const char* what, const std::string& reason) const {
  if (status == COSMOS_OK) return;
  throw Error(ErrorCode::kPlugin, "the hook '" + facts_.id + "' failed in " + what + ": " + reason);
}

}  // namespace cosmos
