#include "target/target.h"

#include <cstdio>
#include <string_view>

namespace cosmos {
namespace {

constexpr long long kMaxPid = 1 << 22;  // PID_MAX_LIMIT of the kernel, see proc(5)
constexpr std::string_view kBootIdCharacters = "0123456789abcdefABCDEF-";

}  // namespace

std::optional<JobHandle> ParseHandle(const std::string& folder, const std::string& line) {
  JobHandle handle;
  handle.folder = folder;
  long long pid = 0, start_time = 0;
  char boot_id[64] = "";
  if (std::sscanf(line.c_str(), "%lld %lld %63s", &pid, &start_time, boot_id) != 3) return std::nullopt;
  // A job writes it, into a folder of its own: -1 would be every process, and 1 and 0 are none of a job's.
  const bool possible = (pid == 0 || pid > 1) && pid <= kMaxPid && start_time >= 0 &&
                        std::string_view(boot_id).find_first_not_of(kBootIdCharacters) == std::string_view::npos;
  if (!possible) return std::nullopt;
  handle.pid = pid;
  handle.pid_start_time = start_time;
  handle.boot_id = boot_id;
  return handle;
}

std::optional<JobState> ParseExitStatus(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  int status = 0, end = 0;
  if (line.size() == text.size() || std::sscanf(line.c_str(), "%d%n", &status, &end) != 1) return std::nullopt;
  std::string note = line.substr(static_cast<std::size_t>(end));
  note.erase(note.find_last_not_of(' ') + 1);
  if (!note.empty() && note != " unexecuted" && note != " unfinished") return std::nullopt;
  JobState state;
  state.phase = JobState::Phase::kEnded;
  state.exit_status = status;
  state.note = note.substr(note.empty() ? 0 : 1);
  return state;
}

}  // namespace cosmos
