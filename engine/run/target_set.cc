#include "run/target_set.h"

#include <utility>

#include "core/error.h"
#include "target/local/local_target.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_target.h"

namespace cosmos {

std::string HostKeyOf(const nlohmann::json& config) {
  return config.contains("ssh") ? NameOf(SshOptionsOf(config["ssh"])) : "local";
}

std::unique_ptr<Target> MakeTarget(const nlohmann::json& config, const CancelToken* cancel,
                                   SshConnection::Observer observer) {
  const std::string workdir = config.value("workdir", "");
  if (!config.contains("ssh")) return std::make_unique<LocalTarget>(workdir);
  return std::make_unique<SshTarget>(SshOptionsOf(config["ssh"]), workdir, cancel, std::move(observer));
}

TargetSet::TargetSet(const std::map<std::string, nlohmann::json>& configs, const std::set<std::string>& names,
                     const CancelToken* cancel, const Observer& observer) {
  for (const std::string& name : names) {
    const auto config = configs.find(name);
    if (config == configs.end()) {
      throw Error(ErrorCode::kNotFound, "there is no target '" + name + "' any more",
                  "put it back into the workflow or the configuration");
    }
    SshConnection::Observer tell;
    if (observer) tell = [observer, name](const ConnectionChange& change) { observer(name, change); };
    by_name_[name] = (targets_[name] = MakeTarget(config->second, cancel, tell)).get();
  }
}

void TargetSet::Reach(Duration longest) const {
  for (const auto& [name, target] : by_name_) {
    try {
      target->Reach(longest);
    } catch (const Error& error) {
      throw Error(error.code(), "target '" + name + "': " + error.message(), error.hint(), error.where());
    }
  }
}

}  // namespace cosmos
