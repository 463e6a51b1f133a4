#include "target/local/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/fd.h"

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

namespace {

// Calls `look` with each process's number.
template <typename Look>
void ForEachPid(Look look) {
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return;
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid > 0) look(pid);
  }
  ::closedir(proc);
}

bool HasInEnvironment(pid_t pid, const std::string& variable) {
  Fd file(::open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(1, '\0');
  char buffer[8192];
  for (ssize_t n = 0; file.valid() && (n = ::read(file.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text.find('\0' + variable + '\0') != text.npos;
}

// The number that was given to a process last; 0: not known. See proc(5), loadavg.
pid_t LastPid() {
  Fd file(::open("/proc/loadavg", O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t n = file.valid() ? ::read(file.get(), text, sizeof text - 1) : 0;
  if (n <= 0) return 0;
  text[n] = '\0';
  const char* last = std::strrchr(text, ' ');
  return last == nullptr ? 0 : static_cast<pid_t>(std::atoi(last));
}

constexpr auto kYoung = std::chrono::seconds(10);

}  // namespace

std::vector<ProcessInfo> ProcessesOfSession(pid_t leader) {
  std::vector<ProcessInfo> members;
  ForEachPid([&](pid_t pid) {
    const auto process = FindProcess(pid);
    if (process && (process->session == leader || process->group == leader)) members.push_back(*process);
  });
  return members;
}

std::vector<ProcessInfo> ProcessesOfJob(pid_t leader, std::int64_t start_time, const std::string& variable) {
  // Numbers are given in ascending order, so what a young job started is behind it, unless they began again.
  const bool ascending = AgeOf(start_time) < kYoung && LastPid() >= leader;
  std::vector<ProcessInfo> of_session, of_environment;
  bool leader_is_another = false;
  ForEachPid([&](pid_t pid) {
    if (ascending && pid < leader) return;
    const auto process = FindProcess(pid);
    if (!process || process->start_time < start_time) return;
    if (pid == leader && process->start_time != start_time) leader_is_another = true;
    if (HasInEnvironment(pid, variable)) {
      of_environment.push_back(*process);
    } else if (process->session == leader || process->group == leader) {
      of_session.push_back(*process);
    }
  });
  if (!leader_is_another) of_environment.insert(of_environment.end(), of_session.begin(), of_session.end());
  return of_environment;
}

std::string BootId() {
  Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t n = file.valid() ? ::read(file.get(), text, sizeof text) : 0;
  std::string id(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

Duration AgeOf(std::int64_t start_time) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec) -
         std::chrono::nanoseconds(std::chrono::seconds(1)) * start_time / ::sysconf(_SC_CLK_TCK);
}

}  // namespace cosmos
