#include "target/local/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/fd.h"
#include "core/files.h"

namespace cosmos {

std::optional<ProcessInfo> FindProcess(pid_t pid) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  char text[1024];
  const ssize_t n = ::read(file.get(), text, sizeof text - 1);
  if (n <= 0) return std::nullopt;
  text[n] = '\0';
  // The name in parentheses may hold anything, so the fields are counted from its end.
  const char* rest = std::strrchr(text, ')');
  if (rest == nullptr) return std::nullopt;
  char state = 0;
  int group = 0, session = 0;
  long long start_time = 0;
  const int fields =
      std::sscanf(rest + 1, " %c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld", &state,
                  &group, &session, &start_time);
  if (fields != 4 || state == 'Z' || state == 'X') return std::nullopt;
  return ProcessInfo{pid, group, session, start_time};
}

std::vector<ProcessInfo> ProcessesOfSession(pid_t leader) {
  std::vector<ProcessInfo> members;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return members;
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid <= 0) continue;
    const auto process = FindProcess(pid);
    if (process && (process->session == leader || process->group == leader)) members.push_back(*process);
  }
  ::closedir(proc);
  return members;
}

std::string BootId() {
  std::string id = ReadFile("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

}  // namespace cosmos
