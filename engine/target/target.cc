#include "target/target.h"

#include <cstdio>

namespace cosmos {

std::optional<JobHandle> ParseHandle(const std::string& folder, const std::string& line) {
  JobHandle handle;
  handle.folder = folder;
  long long pid = 0, start_time = 0;
  char boot_id[64] = "";
  if (std::sscanf(line.c_str(), "%lld %lld %63s", &pid, &start_time, boot_id) != 3) return std::nullopt;
  handle.pid = pid;
  handle.pid_start_time = start_time;
  handle.boot_id = boot_id;
  return handle;
}

}  // namespace cosmos
