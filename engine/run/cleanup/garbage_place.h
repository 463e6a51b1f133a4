#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "job/container_engine.h"
#include "store/run_store.h"

namespace cosmos {

// A machine on which runs may have left something: a host, by the way in which targets say it is reached, or this
// machine. A value.
struct GarbagePlace {
  std::string target;              // the name of the first target there
  std::set<std::string> names;     // of all targets there
  nlohmann::json config;           // of the first one
  std::set<std::string> workdirs;  // of all, as they write it; none for this machine, where runs have no folders
  std::set<ContainerEngine> engines;
  std::map<std::string, std::string> target_of_workdir;  // the first target that has it

  bool IsLocal() const { return !config.contains("ssh"); }
  // Whether the target that `other` describes is there.
  bool Holds(const nlohmann::json& other) const;
};

// Those of `targets`, by name, and those that stages of these runs were on, as far as the runs' own folders still tell
// of them.
std::vector<GarbagePlace> GarbagePlaces(const std::map<std::string, nlohmann::json>& targets,
                                        const std::vector<RunRecord>& runs, RunStore* store);
// All of them: those of `targets`, by name, and those that stages of the store's runs were on, as far as the runs' own
// folders still tell of them.
std::vector<GarbagePlace> GarbagePlaces(const std::map<std::string, nlohmann::json>& targets, RunStore* store);

// What gc needs to know of a run.
enum class RunStanding {
  kUnknown,      // it is not in the store
  kEnded,        // and has no engine
  kActive,       // an engine carries it out
  kInterrupted,  // it has not ended, and has no engine
};
RunStanding StandingOf(const std::string& run_id, RunStore* store);

// The runs that are active or interrupted and may need what is on the place: it has a target of theirs, or nothing
// tells their targets any more.
std::vector<std::string> OpenRunsOn(const GarbagePlace& place, RunStore* store);

}  // namespace cosmos
