#include "job/job_failure.h"

#include <fmt/format.h>
#include <string.h>

namespace cosmos {
namespace {

constexpr int kHighestSignal = 64;
constexpr int kNotStarted = 125;  // docker-run(1): the engine itself failed

Failure FailureOfUnproven(const JobState& state, const ContainerRecord& container, const std::string& see) {
  if (state.note == "unexecuted") {
    return {
        FailureKind::kExitCode,
        fmt::format("the container of image '{}' ended with status {} without executing the job's command: its "
                    "entrypoint keeps the command to itself, or the image has no /bin/sh; set `container.entrypoint: "
                    "none`{}",
                    container.image, state.exit_status, see)};
  }
  return {FailureKind::kExitCode,
          fmt::format("the container of image '{}' ended with status {} before the job's command did; its entrypoint "
                      "must wait for the command: set `container.entrypoint: none`{}",
                      container.image, state.exit_status, see)};
}

}  // namespace

Failure FailureOf(const JobState& state, const std::filesystem::path& log, const ContainerRecord* container) {
  const std::string see = "; see its log " + log.string();
  if (state.gone == FailureKind::kHostRebooted) {
    return {state.gone, "the machine was restarted while the job ran" + see};
  }
  if (state.gone != FailureKind::kNone) {
    return {state.gone, "the job was killed from outside and left no exit status" + see};
  }
  if (container != nullptr && container->oom_killed && (state.exit_status != 0 || !state.note.empty())) {
    return {FailureKind::kKilled, "the job's container was killed: the machine had no memory left for it" + see};
  }
  const int signal = state.exit_status - 128;
  const bool killed = signal >= 1 && signal <= kHighestSignal;
  if (container != nullptr && !state.note.empty() && !killed) return FailureOfUnproven(state, *container, see);
  // A shell reports a command that a signal ended as 128 + its number.
  if (killed) {
    const char* name = ::sigabbrev_np(signal);
    return {FailureKind::kKilled,
            fmt::format("the job was killed by signal {} (SIG{}){}", signal, name != nullptr ? name : "?", see)};
  }
  if (state.exit_status == 0) return {};
  if (container != nullptr && state.exit_status == kNotStarted && container->started_at == 0) {
    return {FailureKind::kExitCode,
            "the container of image '" + container->image + "' could not be started (status 125)" + see};
  }
  return {FailureKind::kExitCode, fmt::format("the job exited with status {}{}", state.exit_status, see)};
}

}  // namespace cosmos
