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
  // What becomes of the image's entrypoint: keep, none, or the absolute path of another one. An entrypoint gets the
  // job's command as its arguments and has to execute it.
  std::string entrypoint = "keep";
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

// Fills in what the container engine's `inspect` printed, and returns all of it as JSON text. What has another type
// than expected is not known. When it cannot be read at all, the record stays as it was, the text is empty, and
// `problem` is a clause with the reason.
std::string ReadInspection(const std::string& text, ContainerRecord* container, std::string* problem);

// What follows asks the container engine of a target, which gets at most `limit` to answer; names must be safe. All
// throw what Target::Run throws.
constexpr auto kContainerLimit = std::chrono::minutes(2);
// Ends it: TERM to its command, after `grace` KILL. True when it does not run any more, or is not there.
bool StopContainer(Target* target, const ContainerRecord& container, Duration grace, Duration limit = kContainerLimit);
// ReadInspection of what it prints. Nothing, and no problem, when it does not answer or does not know the container.
std::string InspectContainer(Target* target, ContainerRecord* container, Duration limit = kContainerLimit,
                             std::string* problem = nullptr);
// True when it is gone.
bool RemoveContainer(Target* target, const ContainerRecord& container, Duration limit = kContainerLimit);
// Gives the target's account everything in a job's folder that the container made under another user, so that it can be
// read and removed: by a container of the same image, as only the engine may. Nothing happens where there is nothing to
// do. False when something is left.
bool TakeOver(Target* target, const ContainerRecord& container, const std::string& folder,
              Duration limit = kContainerLimit);

}  // namespace cosmos
