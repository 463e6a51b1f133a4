#pragma once

#include <nlohmann/json.hpp>

#include "event/event.h"
#include "plugin/host_services.h"
#include "plugin/plugin_library.h"

namespace cosmos {

// One instance of a hook plugin, for one run. Not thread-safe: Start, OnEvent and Stop come one after another, from
// whichever thread. All throw Error{kPlugin} with the plugin's own words.
class HookPlugin {
 public:
  // `library` must outlive this.
  explicit HookPlugin(PluginLibrary* library);
  ~HookPlugin();
  HookPlugin(const HookPlugin&) = delete;
  HookPlugin& operator=(const HookPlugin&) = delete;

  // `run` is what its services are asked about; it must outlive this.
  void Start(cosmos_run* run, const nlohmann::json& parameters);
  bool Wants(const EventPayload& payload) const;
  void OnEvent(const Event& event);
  void Stop();

 private:
  void Check(cosmos_status status, const char* what, const std::string& reason) const;

  const PluginFacts& facts_;
  const cosmos_plugin_entry_t& entry_;
  void* instance_;
};

}  // namespace cosmos
