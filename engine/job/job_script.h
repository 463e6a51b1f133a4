#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/masker.h"
#include "core/run_context.h"
#include "job/container.h"

namespace cosmos {

// A text file that stands in the job's output folder when its command starts.
struct JobFile {
  std::string name;
  std::string path;  // below the output folder
  std::string text;
};

// What a job does, before it is wrapped to be durable.
struct JobCommand {
  std::vector<std::string> argv;  // one of argv and script is given
  std::string script;             // for /bin/sh with `set -e`
  std::vector<JobFile> files;
  std::map<std::string, std::string> env;
  std::string workdir;                     // absolute, on the target
  std::optional<ContainerSpec> container;  // in which it is run; workdir is there under the same path
};

// The text of job.sh, and what its process gets in its environment: COSMOS_RUN_ID, COSMOS_STAGE and COSMOS_OUTPUT_DIR,
// by which it can be told from outside whose it is, and the secrets, which must not stand in the text.
struct JobScript {
  std::string text;
  std::map<std::string, std::string> environment;
};

// Wraps a command so that it is durable (DESIGN 4). The script needs nothing but a POSIX shell and Linux's /proc. In
// its folder it
//  - claims the job by creating `pid` (process, start time, boot ID) exclusively; a second start ends at once,
//  - appends stdout and stderr to run.log, which it restores when somebody deletes it meanwhile,
//  - runs the command as a process of its own, so that a signal that the command sends to itself ends the command,
//  - writes `exit_status` (JobState), also after a TERM that ended the command; when that file cannot be written, as on
//  a
//    full disk, into the bytes of kReservedStatus, which the target made before the start.
// Where a value of env holds a secret, the script only names a variable of the environment. Throws what RefuseSecrets
// throws, and Error{kPlugin} for a file whose path leaves the output folder.
JobScript MakeJobScript(const RunContext& context, const std::string& folder, const JobCommand& command,
                        const Masker& masker);

// Throws Error{kInvalidInput} when a secret stands anywhere but in a value of env: in the script or a file, which stay
// on the target's disk, or in what ends up on a command line, which every user of the target sees with `ps`, and who
// may use the container engine with `docker inspect`.
void RefuseSecrets(const RunContext& context, const JobCommand& command, const Masker& masker);

}  // namespace cosmos
