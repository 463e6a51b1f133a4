#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/cancel.h"
#include "target/ssh/ssh_connection.h"
#include "target/target.h"

namespace cosmos {

// What tells the host that `config` describes from others: targets of the same key share their GPUs. Two ways to say
// where one host is (an alias and its address) are two keys.
std::string HostKeyOf(const nlohmann::json& config);

// The target that `config`, shaped by the workflow's schema, describes. Contacts nothing. `cancel` must outlive it, see
// Target; `observer`, which may be empty, is told of its connection.
std::unique_ptr<Target> MakeTarget(const nlohmann::json& config, const CancelToken* cancel,
                                   SshConnection::Observer observer);

// The targets that a run uses, by their names. Immutable, so any thread may use it.
class TargetSet {
 public:
  using Observer = std::function<void(const std::string& target, const ConnectionChange& change)>;

  // `configs` are all that are known, `names` those that are used. The pointer must outlive the set.
  TargetSet(const std::map<std::string, nlohmann::json>& configs, const std::set<std::string>& names,
            const CancelToken* cancel, const Observer& observer);

  // Returns when all can be used. Throws what Target::Reach throws.
  void Reach(Duration longest) const;
  const std::map<std::string, Target*>& by_name() const { return by_name_; }

 private:
  std::map<std::string, std::unique_ptr<Target>> targets_;
  std::map<std::string, Target*> by_name_;
};

}  // namespace cosmos
