#include "target/ssh/remote_scripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kBoot = "/proc/sys/kernel/random/boot_id";

std::string Begin() { return ScriptBegin() + "export LC_ALL=C\n"; }

// Runs `command` until it ends or stdin is closed, as it is when the engine lets go or the connection breaks: so no
// process of a lost connection stays on the host.
std::string WhileStdinIsOpen(const std::string& command) {
  return "exec 3<&0\n" + command +
         " </dev/null 3<&- &\nheld=$!\n{ cat <&3; kill $held; } >/dev/null 2>&1 &\nwait $held\n";
}

// The fields of /proc/PID/stat behind the name, which may hold anything: $1 state, $3 group, $4 session, ${20} start.
constexpr const char* kFields = "set -- ${stat##*) }\n";

}  // namespace

std::string ScriptBegin() { return "printf 'cosmos-begin\\n'\n"; }

std::string CommandForScriptOnStdin(std::optional<Duration> longest) {
  const std::string shell = "/bin/sh -c " + ShellQuote("eval \"$(cat)\"");
  if (!longest) return "exec " + shell;
  return fmt::format("exec timeout -s KILL {} {}", std::max<long>(1, ceil<seconds>(*longest).count()), shell);
}

std::string CommandOfScript(const std::string& script) { return "exec /bin/sh -c " + ShellQuote(Begin() + script); }

std::string FolderWords(const std::string& folder) {
  if (folder == "~") return "\"$HOME\"";
  if (folder.rfind("~/", 0) == 0) return "\"$HOME\"/" + ShellQuote(folder.substr(2));
  return folder.rfind('/', 0) == 0 ? ShellQuote(folder) : "\"$HOME\"/" + ShellQuote(folder);
}

std::string WorkdirScript(const std::string& folder) {
  const std::string path = FolderWords(folder);
  return Begin() + "mkdir -p -- " + path + " && cd -- " + path + " && pwd -P\n";
}

std::string SubmitScript(const JobOrder& order) {
  const std::string folder = ShellQuote(order.folder);
  std::string script = Begin();
  script += "command -v setsid >/dev/null || { echo 'there is no setsid (install util-linux)' >&2; exit 3; }\n";
  script += "mkdir -p -- " + ShellQuote(std::filesystem::path(order.folder).parent_path().string()) + " || exit\n";
  script += "mkdir -m 700 -- " + folder + " 2>/dev/null\ncd -- " + folder + " || exit\n";
  script += "if read -r handle <pid; then echo \"attached $handle\"; exit; fi 2>/dev/null\n";
  // By cat, which tells that a disk is full; a shell's own printf may only say `I/O error`.
  script +=
      "mkdir -p out && printf %s " + ShellQuote(order.script) + " | cat >job.sh.$$ && mv -f job.sh.$$ job.sh &&\n";
  script += "chmod 700 job.sh && : >>run.log || exit\n";
  if (!order.newest_log.empty()) {
    script += "mkdir -p -- " + ShellQuote(std::filesystem::path(order.newest_log).parent_path().string()) + "\n";
    script += "ln -sfn -- " + folder + "/run.log " + ShellQuote(order.newest_log) + "\n";
  }
  for (const auto& [name, value] : order.environment) script += "export " + name + "=" + ShellQuote(value) + "\n";
  // Whoever creates `pid` does the work, so it is asked who did: another engine may start the job at the same time.
  script +=
      "unset LC_ALL\n"
      "setsid /bin/sh job.sh </dev/null >/dev/null 2>&1 &\n"
      "child=$! i=0\n"
      "until read -r handle <pid; do\n"
      "  i=$((i + 1)); [ $i -le 200 ] || { echo 'the job does not start' >&2; exit 3; }\n"
      "  sleep 0.05\n"
      "done 2>/dev/null\n"
      "case $handle in \"$child \"*) echo \"new $handle\" ;; *) echo \"attached $handle\" ;; esac\n";
  return script;
}

std::string FindScript(const std::string& folder) {
  return Begin() + "if read -r handle <" + ShellQuote(folder) + "/pid; then echo \"$handle\"; fi 2>/dev/null\n";
}

// The exit status is looked for again after the process is found gone: it may have been written between the two looks.
std::string PollScript(const JobHandle& handle) {
  return Begin() + "look() { if read -r status <" + ShellQuote(handle.folder) +
         "/exit_status; then echo \"ended $status\"; exit; fi; } 2>/dev/null\n" + "look\nread -r boot <" + kBoot +
         "\n[ \"$boot\" = " + ShellQuote(handle.boot_id) + " ] || { look; echo rebooted; exit; }\n" +
         fmt::format("{{ read -r stat </proc/{}/stat; }} 2>/dev/null && {}", handle.pid, kFields) +
         fmt::format("if [ \"${{20}}\" = {} ] && [ \"$1\" != Z ] && [ \"$1\" != X ]; then echo running; exit; fi\n",
                     handle.pid_start_time) +
         "look\necho killed\n";
}

JobState ParseState(const std::string& output) {
  JobState state;
  int status = 0;
  if (output == "running\n") return state;
  state.phase = JobState::Phase::kEnded;
  if (std::sscanf(output.c_str(), "ended %d", &status) == 1 && output == fmt::format("ended {}\n", status)) {
    state.exit_status = status;
  } else if (output == "rebooted\n") {
    state.gone = FailureKind::kHostRebooted;
  } else if (output == "killed\n") {
    state.gone = FailureKind::kKilled;
  } else {
    throw Error(ErrorCode::kUnavailable, "the host does not tell how a job is: it says '" + output + "'");
  }
  return state;
}

std::string WatchScript(const JobHandle& handle) {
  // A later process of the same number must not be waited for.
  const std::string check =
      std::string("read -r boot <") + kBoot + "\n[ \"$boot\" = " + ShellQuote(handle.boot_id) + " ] || exit 0\n" +
      fmt::format("{{ read -r stat </proc/{}/stat; }} 2>/dev/null || exit 0\n{}[ \"${{20}}\" = {} ] || exit 0\n",
                  handle.pid, kFields, handle.pid_start_time);
  // The exit status as it is written, or else the end of the process, which shows only once its parent has reaped it.
  return check + "cd -- " + ShellQuote(handle.folder) + " || exit 0\n" +
         WhileStdinIsOpen(fmt::format("tail --pid={} -s 0.2 -c +1 -F exit_status 2>/dev/null", handle.pid));
}

std::string CancelScript(const JobHandle& handle, Duration grace) {
  if (handle.pid <= 1) return Begin() + "echo gone\n";
  std::string script = Begin() + "read -r boot <" + kBoot + "\n[ \"$boot\" = " + ShellQuote(handle.boot_id) +
                       " ] || { echo gone; exit; }\n";
  // What of the job's session or group is alive; nothing when its number now belongs to a later process. There may be
  // line ends in a program's name.
  script += fmt::format(
      "pid={} start={}\n"
      "look() {{\n"
      "  left=\n"
      "  for file in /proc/[0-9]*/stat; do\n"
      "    {{ read -r stat && while read -r more; do stat=\"$stat $more\"; done; }} <\"$file\" || continue\n"
      "    one=${{stat%% *}}\n"
      "    {}"
      "    case $1 in Z | X) continue ;; esac\n"
      "    if [ \"$3\" = $pid ] || [ \"$4\" = $pid ]; then\n"
      "      [ \"${{20}}\" -ge $start ] || continue\n"
      "      if [ \"$one\" = $pid ] && [ \"${{20}}\" != $start ]; then left=; return; fi\n"
      "      left=\"$left $one\"\n"
      "    fi\n"
      "  done\n"
      "}} 2>/dev/null\n",
      handle.pid, handle.pid_start_time, kFields);
  // KILL is sent again and again: a process that was just being made was not there to be signalled.
  script += fmt::format(
      "look\n"
      "[ -z \"$left\" ] || kill -TERM $left 2>/dev/null\n"
      "i=0\n"
      "while [ -n \"$left\" ] && [ $i -lt {} ]; do sleep 0.05; look; i=$((i + 1)); done\n"
      "i=0\n"
      "while [ -n \"$left\" ] && [ $i -lt 200 ]; do kill -KILL $left 2>/dev/null; sleep 0.05; look; i=$((i + 1)); "
      "done\n"
      "[ -n \"$left\" ] && echo \"left$left\" || echo gone\n",
      ceil<milliseconds>(grace).count() / 50);
  return script;
}

std::string ReadLogScript(const JobHandle& handle, std::int64_t offset, std::size_t limit) {
  return Begin() + "cd -- " + ShellQuote(handle.folder) + " 2>/dev/null && [ -e run.log ] || { echo '0 '; exit; }\n" +
         fmt::format("{{ stat -L -c '%s %d:%i' /dev/stdin; tail -c +{} | head -c {}; }} <run.log 2>/dev/null\n",
                     offset + 1, limit);
}

LogPiece ParseLogPiece(std::string output) {
  LogPiece piece;
  const std::size_t line = output.find('\n');
  long long size = 0;
  char file[64] = "";
  if (line == output.npos || std::sscanf(output.substr(0, line).c_str(), "%lld %63s", &size, file) < 1) {
    throw Error(ErrorCode::kUnavailable, "the host does not tell of a log: it says '" + output.substr(0, line) + "'");
  }
  piece.size = size;
  piece.file = file;
  piece.bytes = std::move(output.erase(0, line + 1));
  return piece;
}

std::string FollowLogScript(const JobHandle& handle, std::int64_t offset) {
  return "cd -- " + ShellQuote(handle.folder) + " || exit\n" +
         WhileStdinIsOpen(fmt::format("tail -c +{} -F run.log", offset + 1));
}

// What GNU tail says of a file that it follows by name; its bytes from then on may be of another file.
bool FollowSawChange(const std::string& errors) {
  for (const std::string& line : SplitLines(errors)) {
    if (line.rfind("tail: ", 0) != 0) continue;  // of a login shell's start files
    for (const char* words : {"file truncated", "has been replaced", "has appeared"}) {
      if (line.find(words) != line.npos) return true;
    }
  }
  return false;
}

std::string DigestOfLogScript(const JobHandle& handle, std::int64_t size) {
  return Begin() + "cd -- " + ShellQuote(handle.folder) + " 2>/dev/null && [ -e run.log ] || { echo '0'; exit; }\n" +
         "size=$(stat -L -c %s run.log)\n" + (size < 0 ? "" : fmt::format("[ $size -le {0} ] || size={0}\n", size)) +
         "echo \"$size $(head -c $size run.log | sha256sum)\"\n";
}

}  // namespace cosmos
