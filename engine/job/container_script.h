#pragma once

#include <string>
#include <vector>

#include "core/run_context.h"
#include "job/container.h"

namespace cosmos {

// The shell text that runs a job's command in a container and reports how the command ended, not how the container
// engine's client or the image's entrypoint did. Pure; any thread.
//
// In the container, the entrypoint gets a wrapper that starts the command as a process of its own and writes to
// kRecordInContainer, which is container.record in the job's folder: `begun GROUP` (its process group) and `ended
// STATUS`. What the command prints goes into the pipe kLogPipe and from there into run.log, so neither a
// client nor a daemon that dies takes part of the log along. On the host, the job's script runs the client in the
// foreground and then looks at the container itself: while it runs, or the container engine does not answer, the script
// waits. See docker-run(1): a client ends with 125 when its connection to the daemon does.
struct ContainerScript {
  std::string before;  // in the job's folder, before the client starts
  std::string run;     // words of the client, without the command's own
  // In the job's folder; `reader` is the process that empties the pipe; `status` is the client's exit status and
  // becomes the job's, `note` a JobState::note; `stop` is not empty when the job is to end.
  std::string after;
};

// `folder` is the job's, `workdir` the target's, both absolute; `env` as for RunContainerWords.
ContainerScript MakeContainerScript(const ContainerSpec& spec, const RunContext& context, const std::string& folder,
                                    const std::string& workdir, const std::vector<std::string>& env);

// A named pipe in the job's folder, mounted at /.cosmos-log. The job's script makes and empties it.
constexpr const char* kLogPipe = "run.log.pipe";
constexpr const char* kRecordInContainer = "/.cosmos-job";

// A script that asks the command in the running container to end: TERM to its process group.
std::string TerminateInContainerScript(const std::string& engine_words, const std::string& name);

}  // namespace cosmos
