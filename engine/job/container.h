#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/run_context.h"
#include "store/records.h"
#include "target/target.h"

namespace cosmos {

// The container that a job runs in. A value.
struct ContainerSpec {
  std::string engine = "docker";  // or podman; their command lines are alike
  std::string image;
  bool sudo = false;
  std::string shm_size;
  std::string ipc;
  std::vector<std::string> mounts;  // HOST:CONTAINER[:ro]; HOST may begin with `~/` or `./` (the target's workdir)
  std::map<std::string, std::string> env;
  std::string workdir;  // inside; empty: the target's workdir, which has the same path there
  std::vector<std::string> args;
  std::vector<int> gpus;  // devices of the host, as nvidia-smi counts them

  // From `container:` of a workflow, as its schema shapes it.
  static ContainerSpec FromJson(const nlohmann::json& json);
};

// cosmos_RUN_ID_STAGE[.INSTANCE]_ATTEMPT, in full: no two containers ever share it.
std::string ContainerNameOf(const RunContext& context);

// The words of `docker run …` up to and with the image, as a shell reads them: quoted, but for what only the host knows
// (the home folder, the time). `workdir`, absolute, is mounted under its own path. `env` names variables that are taken
// over from the environment, so that no value stands on a command line.
std::string RunContainerWords(const ContainerSpec& spec, const RunContext& context, const std::string& workdir,
                              const std::vector<std::string>& env);

// What is done with the container `name` on its target; names must be safe. All throw what Target::Run throws.
// Ends it: TERM, after `grace` KILL. True when it does not run any more, or is not there.
bool StopContainer(Target* target, const ContainerRecord& container, Duration grace);
// Fills in what the container engine tells; as it was when it tells nothing. Returns all it tells, as JSON text.
std::string InspectContainer(Target* target, ContainerRecord* container);
// True when it is gone.
bool RemoveContainer(Target* target, const ContainerRecord& container);

}  // namespace cosmos
