#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"

namespace cosmos {

// What /proc says of a process; see proc(5). A zombie counts as gone.
struct ProcessInfo {
  pid_t pid = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::int64_t start_time = 0;  // clock ticks since boot
};

// nullopt when there is no such process (any more).
std::optional<ProcessInfo> FindProcess(pid_t pid);
// Every living process whose session or process group is `leader`.
std::vector<ProcessInfo> ProcessesOfSession(pid_t leader);
// Every living process that belongs to a job: its session or group is `leader`, or its environment holds `variable`
// (NAME=VALUE). Nothing that is older than the job, and nothing of a later session that took over the leader's number.
// Processes of other users keep their environment to themselves.
std::vector<ProcessInfo> ProcessesOfJob(pid_t leader, std::int64_t start_time, const std::string& variable);
// The ID of this boot of the machine; empty where there is none to be read.
std::string BootId();
// How long a process that started then exists, by the clock that counts ticks since boot.
Duration AgeOf(std::int64_t start_time);

}  // namespace cosmos
