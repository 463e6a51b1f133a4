#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
// The id of this boot of the machine.
std::string BootId();

}  // namespace cosmos
