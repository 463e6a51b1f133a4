#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/cancel.h"
#include "target/recorded_target.h"
#include "target/ssh/ssh_connection.h"

namespace cosmos {

// What tells the host that `config` describes from others: targets of the same key share their GPUs. Two ways to say
// where one host is (an alias and its address) are two keys.
std::string HostKeyOf(const nlohmann::json& config);
// The same for what is kept of a host's answers: who logs in another way may get others.
std::string CacheKeyOf(const nlohmann::json& config);
// What goes with a target besides what its configuration says.
struct TargetSettings {
  SshConnection::Observer observer = nullptr;  // of its connection
  std::string name = "";                       // this and the next as RecordedTarget has them
  TargetRecorder* recorder = nullptr;
  bool asks = true;     // for the passphrase of a key, on a terminal
  bool learns = false;  // keeps a new host key where the user's ssh_config accepts it; a check keeps none
};

// The target that `config`, shaped by the workflow's schema, describes. Contacts nothing. `cancel` must outlive it, see
// Target.
std::unique_ptr<RecordedTarget> MakeTarget(const nlohmann::json& config, const CancelToken* cancel,
                                           TargetSettings settings);

// The targets that a run uses, by their names. Immutable, so any thread may use it.
class TargetSet {
 public:
  using Observer = std::function<void(const std::string& target, const ConnectionChange& change)>;

  // `configs` are all that are known, `names` those that are used. The pointers must outlive the set; `recorder`, which
  // may be null, is told of every operation.
  TargetSet(const std::map<std::string, nlohmann::json>& configs, const std::set<std::string>& names,
            const CancelToken* cancel, const Observer& observer, TargetRecorder* recorder = nullptr);

  // Returns when all can be used. Throws what Target::Reach throws.
  void Reach(Duration longest) const;
  const std::map<std::string, Target*>& by_name() const { return by_name_; }

 private:
  std::map<std::string, std::unique_ptr<RecordedTarget>> targets_;
  std::map<std::string, Target*> by_name_;
};

}  // namespace cosmos
