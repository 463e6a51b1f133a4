#include "run/cleanup/garbage_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <sstream>

#include "core/ids.h"
#include "core/text.h"
#include "target/ssh/remote_scripts.h"

namespace cosmos {
namespace {

constexpr std::int64_t kMaxKib = std::int64_t{1} << 40;  // of a folder, so that sizes can be added
constexpr int kLongest = 30;                             // seconds for a container engine that is asked

constexpr const char* kBegin =
    "export LC_ALL=C\n"
    "tell() { while IFS= read -r line; do printf '%s %s\\n' \"$1\" \"$line\"; done; }\n";

std::string WorkdirWords(const std::string& workdir) {
  return FolderWords(workdir.empty() ? kDefaultWorkdir : workdir);
}

std::string ContainersScript(std::size_t number, const ContainerEngine& engine) {
  return fmt::format(
      "if command -v {0} >/dev/null; then\n"
      "  engine() {{ timeout {1} {2} \"$@\"; }}\n"
      "  if ids=$(engine ps -aq --no-trunc --filter label=run_id --filter name=cosmos_ 2>/dev/null); then\n"
      "    [ -z \"$ids\" ] || engine container inspect --format \\\n"
      "      'container {3} {{{{.Id}}}} {{{{.State.Running}}}} {{{{index .Config.Labels \"run_id\"}}}} {{{{.Name}}}}' "
      "\\\n"
      "      $ids 2>/dev/null\n"
      "  else engine ps -q 2>&1 | tell 'problem {3}'; fi\n"
      "fi\n",
      ShellQuote(engine.program), kLongest, engine.Words(), number);
}

std::string WorkdirScript(std::size_t number, const std::string& workdir) {
  return fmt::format(
      "(\n"
      "cd -- {0}/.cosmos 2>/dev/null || exit 0\n"
      "printf 'workdir {1} %s\\n' \"$(cd -- {0} && pwd -P)\"\n"
      "if cd jobs 2>/dev/null; then\n"
      "  for name in * .[!.]* ..?*; do\n"
      "    [ -e \"$name\" ] || [ -L \"$name\" ] || continue\n"
      "    case $name in *[!A-Za-z0-9._-]*) echo 'strange {1}'; continue ;; esac\n"
      "    if [ -L \"$name\" ] || [ ! -d \"$name\" ]; then echo 'strange {1}'; continue; fi\n"
      "    size=$(du -sk -- \"$name\" 2>/dev/null)\n"
      "    size=${{size%%[!0-9]*}}\n"
      "    echo \"folder {1} ${{size:-0}} $name\"\n"
      "  done\n"
      "fi\n"
      "cd -- {0}/.cosmos/inputs 2>/dev/null && [ -n \"$(ls -A)\" ] || exit 0\n"
      "size=$(du -sk . 2>/dev/null)\n"
      "size=${{size%%[!0-9]*}}\n"
      "echo \"inputs {1} ${{size:-0}}\"\n"
      ")\n",
      WorkdirWords(workdir), number);
}

// Names of files are the kernel's and tell who it is; what a process says of itself is believed of it alone. Processes
// within a container are the container's.
constexpr const char* kProcesses =
    "IFS= read -r stat </proc/$$/stat\n"
    "set -- ${stat##*) }\n"
    "echo \"own $4\"\n"
    "grep -z x /dev/null\n"
    "[ $? -le 1 ] || echo 'problem processes there is no grep with -z (install GNU grep)'\n"
    "found=\n"
    "for file in $(grep -lzs '^COSMOS_RUN_ID=' /proc/[0-9]*/environ); do\n"
    "  pid=${file#/proc/} pid=${pid%/environ}\n"
    "  [ \"/proc/$pid/ns/pid\" -ef /proc/self/ns/pid ] || continue\n"
    "  found=yes\n"
    "  grep -zs '^COSMOS_\\(RUN_ID\\|OUTPUT_DIR\\)=' \"$file\" | tr '\\n\\0' '?\\n' | tell \"env $pid\"\n"
    "done\n"
    "[ -z \"$found\" ] || for file in /proc/[0-9]*/stat; do\n"
    "  IFS= read -r stat <\"$file\" || continue\n"
    "  pid=${file#/proc/} pid=${pid%/stat} name=${stat#*\\(}\n"
    "  set -- ${stat##*) }\n"
    "  [ $# -ge 20 ] || continue\n"
    "  case $1 in Z | X) ;; *) printf 'process %s %s %s %s\\n' \"$pid\" \"$4\" \"${20}\" \"${name%)*}\" ;; esac\n"
    "done 2>/dev/null\n";

constexpr const char* kRunProcesses =
    "cd /proc || exit\n"
    "grep -z x /dev/null\n"
    "[ $? -le 1 ] || echo 'problem processes there is no grep with -z (install GNU grep)'\n"
    "grep -zsH '^COSMOS_RUN_ID=' [0-9]*/environ | tr '\\n\\0' '?\\n' | sort -t: -k2 -s | {\n"
    "last= count=0\n"
    "while IFS= read -r line; do\n"
    "  pid=${line%%/*} run=${line#*:}\n"
    "  [ \"$run\" = \"$last\" ] || { last=$run count=0; }\n"
    "  [ $count -lt 20 ] && [ \"$pid/ns/pid\" -ef self/ns/pid ] || continue\n"
    "  IFS= read -r stat <\"$pid/stat\" || continue\n"
    "  name=${stat#*\\(}\n"
    "  set -- ${stat##*) }\n"
    "  [ $# -ge 20 ] || continue\n"
    "  case $1 in Z | X) continue ;; esac\n"
    "  count=$((count + 1))\n"
    "  printf 'env %s %s\\nprocess %s %s %s %s\\n' \"$pid\" \"$run\" \"$pid\" \"$4\" \"${20}\" \"${name%)*}\"\n"
    "done; } 2>/dev/null\n";

bool IsHex(const std::string& text) {
  return text.size() >= 12 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// One line's words, and the rest of it.
class Words {
 public:
  explicit Words(const std::string& line) : stream_(line) {}
  std::string Next() {
    std::string word;
    stream_ >> word;
    return word;
  }
  std::int64_t Number() {
    std::int64_t number = -1;
    stream_ >> number;
    return stream_.fail() ? -1 : number;
  }
  std::string Rest() {
    std::string rest;
    std::getline(stream_ >> std::ws, rest);
    return rest;
  }

 private:
  std::istringstream stream_;
};

void AddContainer(Words words, Leftovers* found) {
  FoundContainer container;
  container.engine = static_cast<std::size_t>(words.Number());
  container.id = words.Next();
  container.running = words.Next() == "true";
  container.run_id = words.Next();
  container.name = words.Next();
  if (container.name.rfind('/', 0) == 0) container.name.erase(0, 1);
  const bool ours = IsHex(container.id) && IsSafeName(container.run_id) &&
                    container.name.rfind("cosmos_" + container.run_id + "_", 0) == 0;
  if (ours) found->containers.push_back(std::move(container));
}

std::int64_t BytesOfKib(std::int64_t kib) { return std::clamp<std::int64_t>(kib, 0, kMaxKib) * 1024; }

void AddFolder(Words words, Leftovers* found) {
  FoundFolder folder;
  folder.workdir = static_cast<std::size_t>(words.Number());
  folder.size = BytesOfKib(words.Number());
  folder.run_id = words.Rest();
  if (IsSafeName(folder.run_id)) {
    found->folders.push_back(std::move(folder));
  } else {
    found->strange.insert(folder.workdir);
  }
}

// What a process has in its environment.
struct Claim {
  std::string run_id;
  std::string output_dir;
};

void AddClaim(Words words, std::map<std::int64_t, Claim>* claims) {
  Claim& claim = (*claims)[words.Number()];
  const std::string variable = words.Rest();
  const std::size_t equals = variable.find('=');
  if (equals == variable.npos) return;
  const std::string name = variable.substr(0, equals), value = variable.substr(equals + 1);
  if (name == "COSMOS_RUN_ID" && claim.run_id.empty() && IsSafeName(value)) claim.run_id = value;
  if (name == "COSMOS_OUTPUT_DIR" && claim.output_dir.empty()) claim.output_dir = value;
}

FoundProcess ProcessIn(Words words) {
  FoundProcess process;
  process.pid = words.Number();
  process.session = words.Number();
  process.start_time = words.Number();
  process.name = words.Rest();
  return process;
}

}  // namespace

std::string LookScript(const std::vector<ContainerEngine>& engines, const std::vector<std::string>& workdirs) {
  std::string script = kBegin;
  for (std::size_t i = 0; i < engines.size(); ++i) script += ContainersScript(i, engines[i]);
  for (std::size_t i = 0; i < workdirs.size(); ++i) script += WorkdirScript(i, workdirs[i]);
  return script + kProcesses + "echo 'end of it'\n";
}

std::string ContainersScript(const std::vector<ContainerEngine>& engines) {
  std::string script = kBegin;
  for (std::size_t i = 0; i < engines.size(); ++i) script += ContainersScript(i, engines[i]);
  return script + "echo 'end of it'\n";
}

std::string RunProcessesScript() { return std::string(kBegin) + kRunProcesses + "echo 'end of it'\n"; }

std::string ProcessesScript() { return std::string(kBegin) + kProcesses + "echo 'end of it'\n"; }

Leftovers ParseLeftovers(const std::string& output, std::size_t engines, std::size_t workdirs) {
  Leftovers found;
  std::map<std::int64_t, Claim> claims;
  for (const std::string& line : SplitLines(output)) {
    Words words(line);
    const std::string kind = words.Next();
    if (kind == "container") {
      AddContainer(std::move(words), &found);
    } else if (kind == "workdir") {
      const auto number = static_cast<std::size_t>(words.Number());
      found.workdirs[number] = words.Rest();
    } else if (kind == "folder") {
      AddFolder(std::move(words), &found);
    } else if (kind == "strange") {
      found.strange.insert(static_cast<std::size_t>(words.Number()));
    } else if (kind == "inputs") {
      const auto number = static_cast<std::size_t>(words.Number());
      found.inputs[number] = BytesOfKib(words.Number());
    } else if (kind == "own") {
      found.own_sessions.insert(words.Number());
    } else if (kind == "env") {
      AddClaim(std::move(words), &claims);
    } else if (kind == "process") {
      found.processes.push_back(ProcessIn(std::move(words)));
    } else if (kind == "problem") {
      words.Next();
      if (const std::string problem = words.Rest(); !problem.empty()) found.problems.push_back(problem);
    } else if (kind == "end") {
      found.whole = true;
    }
  }
  std::erase_if(found.containers, [&](const FoundContainer& container) { return container.engine >= engines; });
  std::erase_if(found.folders, [&](const FoundFolder& folder) { return folder.workdir >= workdirs; });
  std::erase_if(found.inputs, [&](const auto& inputs) { return inputs.first >= workdirs; });
  for (FoundProcess& process : found.processes) {
    const auto claim = claims.find(process.pid);
    if (claim == claims.end()) continue;
    process.run_id = claim->second.run_id;
    process.output_dir = claim->second.output_dir;
  }
  return found;
}

std::vector<FoundProcess> ProcessesToEnd(const Leftovers& found, const std::string& run_id,
                                         const std::function<bool(const FoundProcess&)>& is_of_run) {
  const auto is_own = [&](const FoundProcess& process) { return process.run_id == run_id && is_of_run(process); };
  std::set<std::int64_t> sessions, alone;
  for (const FoundProcess& process : found.processes) {
    if (is_own(process)) sessions.insert(process.session);
  }
  for (const FoundProcess& leader : found.processes) {
    if (leader.pid == leader.session && !is_own(leader) && sessions.erase(leader.session) > 0) {
      alone.insert(leader.session);
    }
  }
  std::vector<FoundProcess> result;
  for (const FoundProcess& process : found.processes) {
    if (found.own_sessions.contains(process.session) || process.pid <= 1) continue;
    const bool another = !process.run_id.empty() && process.run_id != run_id;
    const bool with_session = sessions.contains(process.session) && !another;
    if (with_session || is_own(process)) result.push_back(process);
  }
  return result;
}

std::string SignalScript(const std::string& signal, const std::vector<FoundProcess>& processes) {
  std::string script =
      "signal() {\n"
      "  IFS= read -r stat </proc/$1/stat || return\n"
      "  set -- $1 $2 ${stat##*) }\n"
      "  [ \"${22}\" = $2 ] && kill -" +
      signal + " $1\n} 2>/dev/null\n";
  for (const FoundProcess& process : processes) {
    script += fmt::format("signal {} {}\n", process.pid, process.start_time);
  }
  return script;
}

std::string RemoveContainersScript(const ContainerEngine& engine, const std::vector<std::string>& ids, Duration grace) {
  return kBegin + fmt::format(
                      "{0} stop -t {1} {2} >/dev/null 2>&1\n"
                      "{0} rm -f -v {2} >/dev/null 2>&1\n"
                      "left=$({0} ps -aq --no-trunc) || exit 1\n"
                      "printf '%s\\n' \"$left\" | tell left\necho 'asked now'\n",
                      engine.Words(), std::chrono::ceil<std::chrono::seconds>(grace).count(), ShellCommand(ids));
}

std::string RemoveFolderScript(const std::string& workdir, const std::string& run_id) {
  return fmt::format("cd -- {0}/.cosmos/jobs || exit 1\nrm -rf -- ./{1}\n[ ! -e ./{1} ]\n", WorkdirWords(workdir),
                     ShellQuote(run_id));
}

std::string RemoveInputsScript(const std::string& workdir) {
  return fmt::format(
      "cd -- {}/.cosmos/inputs || exit 1\n"
      "for name in * .[!.]* ..?*; do\n"
      "  [ -e \"$name\" ] || [ -L \"$name\" ] || continue\n"
      "  rm -rf -- \"./$name\"\n"
      "done\n[ -z \"$(ls -A)\" ]\n",
      WorkdirWords(workdir));
}

}  // namespace cosmos
