#include "run/targets/target_set.h"

#include <utility>

#include "core/error.h"
#include "target/local/local_target.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_target.h"

namespace cosmos {

std::string HostKeyOf(const nlohmann::json& config) {
  return config.contains("ssh") ? NameOf(SshOptionsOf(config["ssh"])) : "local";
}

std::string CacheKeyOf(const nlohmann::json& config) {
  return config.contains("ssh") ? HostKeyOf(config) + " " + config["ssh"].dump() : HostKeyOf(config);
}

std::unique_ptr<RecordedTarget> MakeTarget(const nlohmann::json& config, const CancelToken* cancel,
                                           TargetSettings settings) {
  const std::string workdir = config.value("workdir", "");
  std::unique_ptr<Target> target;
  if (config.contains("ssh")) {
    SshOptions options = SshOptionsOf(config["ssh"]);
    options.asks = settings.asks;
    options.learns = settings.learns;
    target = std::make_unique<SshTarget>(options, workdir, cancel, std::move(settings.observer),
                                         config.value("shared_workdir", false));
  } else {
    target = std::make_unique<LocalTarget>(workdir);
  }
  return std::make_unique<RecordedTarget>(std::move(target), std::move(settings.name), settings.recorder);
}

TargetSet::TargetSet(const std::map<std::string, nlohmann::json>& configs, const std::set<std::string>& names,
                     const CancelToken* cancel, const Observer& observer, TargetRecorder* recorder) {
  for (const std::string& name : names) {
    const auto config = configs.find(name);
    if (config == configs.end()) {
      throw Error(ErrorCode::kNotFound, "there is no target '" + name + "' any more",
                  "put it back into the workflow or the configuration");
    }
    SshConnection::Observer tell;
    if (observer) tell = [observer, name](const ConnectionChange& change) { observer(name, change); };
    by_name_[name] = (targets_[name] = MakeTarget(config->second, cancel, {tell, name, recorder, true, true})).get();
  }
}

void TargetSet::Reach(Duration longest) const {
  for (const auto& [name, target] : by_name_) target->Reach(longest);
}

}  // namespace cosmos
