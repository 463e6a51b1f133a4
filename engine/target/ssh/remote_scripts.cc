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

constexpr long kMsPerTick = 10;                                // of a process's start time and of the uptime
constexpr long long kMaxTicks = 100LL * 60 * 60 * 24 * 36525;  // of a hundred years; no job ran for longer
constexpr const char* kBoot = "/proc/sys/kernel/random/boot_id";

// A job may put a FIFO, which would never be opened, or a link in the place of a file of its folder.
constexpr const char* kPlain = "export LC_ALL=C\nregular() { [ -f \"$1\" ] && [ ! -L \"$1\" ]; }\n";

// Sets `boot`, empty where the host has no boot ID.
std::string ReadBoot() { return fmt::format("boot= && {{ read -r boot <{}; }} 2>/dev/null\n", kBoot); }

// Whether the host was restarted since the job began, as far as that is known.
std::string WasRestarted(const JobHandle& handle) {
  if (handle.boot_id == kNoBootId) return "false";
  return "[ -n \"$boot\" ] && [ \"$boot\" != " + ShellQuote(handle.boot_id) + " ]";
}

// Runs `command` until it ends or stdin is closed, as it is when the engine lets go or the connection breaks: so no
// process of a lost connection stays on the host.
std::string WhileStdinIsOpen(const std::string& command) {
  return "exec 3<&0\n" + command +
         " </dev/null 3<&- &\nheld=$!\n{ cat <&3; kill $held; } >/dev/null 2>&1 &\nwait $held\n";
}

// The fields of /proc/PID/stat behind the name, which may hold anything: $1 state, $3 group, $4 session, ${20} start.
constexpr const char* kFields = "set -- ${stat##*) }\n";

}  // namespace

std::string FolderWords(const std::string& folder) {
  if (folder == "~") return "\"$HOME\"";
  if (folder.rfind("~/", 0) == 0) return "\"$HOME\"/" + ShellQuote(folder.substr(2));
  return folder.rfind('/', 0) == 0 ? ShellQuote(folder) : "\"$HOME\"/" + ShellQuote(folder);
}

std::string SubmitScript(const JobOrder& order) {
  const std::string folder = ShellQuote(order.folder);
  // What the engine writes is the account's alone; what the job writes is as the account has it.
  std::string script = std::string(kPlain) + "mask=$(umask)\numask 077\n";
  script += "command -v setsid >/dev/null || { echo 'there is no setsid (install util-linux)' >&2; exit 3; }\n";
  script += "mkdir -p -- " + ShellQuote(std::filesystem::path(order.folder).parent_path().string()) + " || exit\n";
  script += "mkdir -m 700 -- " + folder + " 2>/dev/null\ncd -- " + folder + " || exit\n";
  script += fmt::format(
      "owner={0} script={1}\n"
      "if regular owner && [ -s owner ]; then [ \"$(cat owner)\" = \"$owner\" ] || {{ echo foreign; exit; }}\n"
      "elif regular pid && [ -s pid ]; then {2}printf %s \"$script\" | cmp -s - job.sh || {{ echo foreign; exit; }}\n"
      "fi\n",
      ShellQuote(order.owner), ShellQuote(order.script), order.resumed ? "true || " : "");
  script += "if regular pid && read -r handle <pid; then echo \"attached $handle\"; exit; fi 2>/dev/null\n";
  // By cat, which tells that a disk is full; a shell's own printf may only say `I/O error`.
  script +=
      "mkdir -p out && printf %s \"$script\" | cat >job.sh.$$ && mv -f job.sh.$$ job.sh &&\n"
      "{ [ -z \"$owner\" ] || { echo \"$owner\" | cat >owner.$$ && mv -f owner.$$ owner; }; } &&\n";
  script += "chmod 700 job.sh && { regular run.log || rm -rf run.log; } && : >>run.log && { [ -e pid ] || printf '" +
            std::string(kReservedStatus) + "' | cat >" + kReservedStatusFile + "; } || exit\n";
  if (!order.newest_log.empty()) {
    script += "mkdir -p -- " + ShellQuote(std::filesystem::path(order.newest_log).parent_path().string()) + "\n";
    script += "ln -sfn -- " + folder + "/run.log " + ShellQuote(order.newest_log) + "\n";
  }
  for (const auto& [name, value] : order.environment) script += "export " + name + "=" + ShellQuote(value) + "\n";
  // Whoever creates `pid` does the work, so it is asked who did: another engine may start the job at the same time. A
  // shell would have a command that it starts with & ignore SIGINT and SIGQUIT, and all that the job starts with it;
  // setsid -f is not started so, where there is one. A job that does not start in its time is kept from starting later.
  script +=
      "unset LC_ALL\n"
      "umask $mask\n"
      "COSMOS_SUBMISSION=$$.$(date +%s%N)\n"
      "export COSMOS_SUBMISSION\n"
      "{ setsid -f /bin/sh job.sh || { setsid /bin/sh job.sh & }; } </dev/null >/dev/null 2>&1\n"
      "i=0\n"
      "exec 3>&2\n"
      "until regular pid && read -r handle <pid; do\n"
      "  i=$((i + 1))\n"
      "  if [ $i -gt 200 ]; then\n"
      "    if (set -C; echo '0 0 -' >pid); then echo 'the job does not start' >&3; exit 3; fi\n"
      "    regular pid && read -r handle <pid && break\n"
      "    echo 'the folder of the job is gone' >&3; exit 3\n"
      "  fi\n"
      "  sleep 0.05\n"
      "done 2>/dev/null\n"
      "case $handle in *\" $COSMOS_SUBMISSION\") echo \"new $handle\" ;; *) echo \"attached $handle\" ;; esac\n";
  return script;
}

std::string FindScript(const std::string& folder) {
  return std::string(kPlain) + "cd -- " + ShellQuote(folder) +
         " 2>/dev/null || exit 0\nif regular pid && read -r handle <pid; then echo \"$handle\"; fi 2>/dev/null\n";
}

// The exit status is looked for again after the process is found gone: it may have been written between the two looks.
// How long the job has run is measured by the start of this shell, which has only just begun, in ticks of a hundredth
// of a second (proc(5), starttime): so no clock counts, nor an uptime that a container's host makes up.
std::string PollScript(const JobHandle& handle) {
  const std::string folder = ShellQuote(handle.folder);
  return std::string(kPlain) +
         fmt::format(
             "look() {{\n"
             "  for file in {0}/exit_status {0}/{1}; do\n"
             "    if regular \"$file\" && read -r status <\"$file\"; then echo \"ended $status\"; exit; fi\n"
             "  done\n"
             "}} 2>/dev/null\n"
             "look\n{2}if {3}; then look; echo rebooted; exit; fi\n"
             "read -r stat </proc/$$/stat\n{4}now=${{20}}\n"
             "{{ read -r stat </proc/{5}/stat; }} 2>/dev/null && {4}"
             "if [ \"${{20}}\" = {6} ] && [ \"$1\" != Z ] && [ \"$1\" != X ]; then echo "
             "\"running $((now - {6}))\"; exit; fi\n"
             "look\necho killed\n",
             folder, kReservedStatusFile, ReadBoot(), WasRestarted(handle), kFields, handle.pid, handle.pid_start_time);
}

JobState ParseState(const std::string& output) {
  JobState state;
  long long ticks = 0;
  if (std::sscanf(output.c_str(), "running %lld", &ticks) == 1 && output == fmt::format("running {}\n", ticks)) {
    if (ticks >= 0 && ticks <= kMaxTicks) state.ran = milliseconds(ticks * kMsPerTick);
    return state;
  }
  if (output.rfind("ended ", 0) == 0 && output.find('\n') == output.size() - 1) {
    if (auto ended = ParseExitStatus(output.substr(6))) return *ended;
  }
  state.phase = JobState::Phase::kEnded;
  if (output == "rebooted\n") {
    state.gone = FailureKind::kHostRebooted;
  } else if (output == "killed\n") {
    state.gone = FailureKind::kKilled;
  } else {
    throw Error(ErrorCode::kUnavailable, "the host does not say how the job is: it says '" + Excerpt(output) + "'");
  }
  return state;
}

std::string WatchScript(const JobHandle& handle) {
  // A later process of the same number must not be waited for.
  const std::string check =
      ReadBoot() + "if " + WasRestarted(handle) + "; then exit 0; fi\n" +
      fmt::format("{{ read -r stat </proc/{}/stat; }} 2>/dev/null || exit 0\n{}[ \"${{20}}\" = {} ] || exit 0\n",
                  handle.pid, kFields, handle.pid_start_time);
  // The exit status as it is written, or else the end of the process, which shows only once its parent has reaped it.
  return check + "cd -- " + ShellQuote(handle.folder) + " || exit 0\n" +
         WhileStdinIsOpen(fmt::format("tail --pid={} -s 0.2 -c +1 -F exit_status 2>/dev/null", handle.pid));
}

// What of the job is alive: its session and process group, and whatever has its output folder in its environment.
// `kill` gets nothing of a later process that took over the job's number. There may be line ends in a program's name.
// Lower numbers come first: a shell is to get its signal before it sees that a child has died of one.
constexpr const char* kLook = R"sh(look() {
  left=$({
    grep -lzsxF -- "COSMOS_OUTPUT_DIR=$out" /proc/[0-9]*/environ
    cat /proc/[0-9]*/stat
  } 2>/dev/null | awk -v job=$pid -v start=$start '
    /^\/proc\/[0-9]+\/environ$/ { split($0, part, "/"); own[part[3]] = 1; next }
    { line = line == "" ? $0 : line " " $0 }
    line !~ /\) [A-Za-z] -?[0-9]+ -?[0-9]+ -?[0-9]+ .*[0-9]$/ { next }
    {
      one = line + 0; rest = line; line = ""
      sub(/^.*\) /, "", rest)
      split(rest, field, " ")
      if (field[1] == "Z" || field[1] == "X" || field[20] + 0 < start) next
      if (one == job && field[20] + 0 != start) another = 1
      if (one in own) found[one] = "own"
      else if (field[3] == job || field[4] == job) found[one] = "session"
    }
    END { for (one in found) if (found[one] == "own" || !another) print one }' | sort -n)
}
now() {
  now=$((now + 5))
  { read -r up rest </proc/uptime; } 2>/dev/null || return 0
  now=${up%.*}${up#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=${now#0}; done
}
)sh";

std::string CancelScript(const JobHandle& handle, Duration grace) {
  // KILL is sent again and again: a process that was just being made was not there to be signalled. Times are counted
  // in hundredths of a second of the host's uptime.
  return std::string(kPlain) + ReadBoot() + "if " + WasRestarted(handle) + "; then echo gone; exit; fi\n" +
         fmt::format("pid={} start={} out={} now=0\n", handle.pid > 1 ? handle.pid : -1, handle.pid_start_time,
                     ShellQuote(handle.folder + "/out")) +
         kLook +
         fmt::format(
             "look\n"
             "[ -z \"$left\" ] || kill -TERM $left 2>/dev/null\n"
             "now; end=$((now + {}))\n"
             "while [ -n \"$left\" ] && [ $now -lt $end ]; do sleep 0.05; look; now; done\n"
             "end=$((now + 1000))\n"
             "while [ -n \"$left\" ] && [ $now -lt $end ]; do kill -KILL $left 2>/dev/null; sleep 0.05; look; now; "
             "done\n"
             "[ -n \"$left\" ] && echo left $left || echo gone\n",
             ceil<milliseconds>(grace).count() / kMsPerTick);
}

std::string ReadLogScript(const JobHandle& handle, std::int64_t offset, std::size_t limit) {
  return std::string(kPlain) + "cd -- " + ShellQuote(handle.folder) +
         " 2>/dev/null && regular run.log || { echo '0 '; exit; }\n" +
         fmt::format("{{ stat -L -c '%s %d:%i' /dev/stdin; tail -c +{} | head -c {}; }} <run.log 2>/dev/null\n",
                     offset + 1, limit);
}

LogPiece ParseLogPiece(std::string output) {
  LogPiece piece;
  const std::size_t line = output.find('\n');
  long long size = 0;
  char file[64] = "";
  if (line == output.npos || std::sscanf(output.substr(0, line).c_str(), "%lld %63s", &size, file) < 1) {
    throw Error(ErrorCode::kUnavailable, "the host does not say how the log is: it says '" + Excerpt(output) + "'");
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
  return std::string(kPlain) + "cd -- " + ShellQuote(handle.folder) +
         " 2>/dev/null && regular run.log || { echo '0'; exit; }\n" + "size=$(stat -L -c %s run.log)\n" +
         (size < 0 ? "" : fmt::format("[ $size -le {0} ] || size={0}\n", size)) +
         "echo \"$size $(head -c $size run.log | sha256sum)\"\n";
}

}  // namespace cosmos
