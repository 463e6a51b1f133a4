#include "job/job_failure.h"

#include <fmt/format.h>
#include <signal.h>
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

// What a shell, or the system, means by an exit status or a signal; "" when that is the command's own business.
std::string MeaningOf(int exit_status) {
  switch (exit_status) {
    case 126:
      return ": a command could not be executed (it is a folder, or has no `x` permission or interpreter)";
    case 127:
      return ": a command was not found, see the log for its name; check the spelling and PATH";
    case 128 + SIGKILL:
      return ": often the machine had no memory left for it; `dmesg` there shows whether";
    case 128 + SIGSEGV:
      return ": the program crashed (memory access), which is a fault of it or of a library";
    case 128 + SIGABRT:
      return ": the program gave up by itself, usually after an assertion";
    default:
      return "";
  }
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
    return {FailureKind::kKilled, fmt::format("the job was killed by signal {} (SIG{}){}{}", signal,
                                              name != nullptr ? name : "?", MeaningOf(state.exit_status), see)};
  }
  if (state.exit_status == 0) return {};
  if (container != nullptr && state.exit_status == kNotStarted && container->started_at == 0) {
    return {FailureKind::kExitCode,
            "the container of image '" + container->image + "' could not be started (status 125)" + see};
  }
  return {FailureKind::kExitCode,
          fmt::format("the job exited with status {}{}{}", state.exit_status, MeaningOf(state.exit_status), see)};
}

}  // namespace cosmos
