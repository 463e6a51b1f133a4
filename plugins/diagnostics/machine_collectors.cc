#include "diagnostics/machine_collectors.h"

#include <algorithm>
#include <cctype>
#include <cosmos/shell_quote.hpp>
#include <sstream>

#include "diagnostics/redaction.h"
#include "diagnostics/script.h"

namespace cosmos::plugins {
namespace {

using std::chrono::milliseconds;

// The queries after the picture for people: what they print is read by evidence.cc.
constexpr const char* kGpu =
    "command -v nvidia-smi >/dev/null || { echo 'there is no nvidia-smi'; exit 77; }\n"
    "status=0\n"
    "nvidia-smi || status=$?\n"
    "echo '# gpus: index, name, uuid, temperature, utilization, memory used, memory total, uncorrected ecc errors'\n"
    "nvidia-smi --query-gpu=index,name,uuid,temperature.gpu,utilization.gpu,memory.used,memory.total,"
    "ecc.errors.uncorrected.volatile.total --format=csv,noheader,nounits || status=$?\n"
    "echo '# processes: gpu uuid, pid, name, memory used'\n"
    "nvidia-smi --query-compute-apps=gpu_uuid,pid,process_name,used_memory --format=csv,noheader,nounits || status=$?\n"
    "exit $status\n";

// The disks last: one that does not answer takes no more than itself away.
std::string SystemScript(const std::string& place) {
  return "export LC_ALL=C\nstatus=0\n"
         "date -u\n"
         "echo '# load'; cat /proc/loadavg || status=1\n"
         "echo \"$(nproc 2>/dev/null) processors\"\n"
         "echo '# memory'; cat /proc/meminfo || status=1\n"
         "echo '# processes by memory'; ps -e -o pid,ppid,user,stat,pcpu,pmem,rss,etime,comm --sort=-rss 2>/dev/null "
         "| head -n 25\n"
         "set -- . /tmp; [ ! -e " +
         place + " ] || set -- \"$@\" " + place +
         "\necho '# disks'; df -P -k \"$@\" || status=1\n"
         "echo '# inodes'; df -P -i \"$@\" 2>/dev/null\nexit $status\n";
}

// Of the kernel's messages those about memory, GPUs, disks; with the time since boot that evidence.cc compares.
constexpr const char* kKernel =
    "export LC_ALL=C\nsaid=\n"
    "try() { said=$(\"$@\" 2>/dev/null) && [ -n \"$said\" ]; }\n"
    "try dmesg || try sudo -n dmesg || try journalctl -k -n 5000 -o short-monotonic --no-pager || {\n"
    "  echo 'neither dmesg, sudo dmesg nor journalctl may read the messages of the kernel'; exit 1; }\n"
    "count=$(printf '%s\\n' \"$said\" | grep -acE '^(<[0-9]+>)?\\[ *[0-9]+[.][0-9]+')\n"
    "[ \"$count\" -gt 0 ] || { printf '%s\\n' \"$said\" | head -c 4096; echo; "
    "echo 'what it printed are no messages of a kernel'; exit 1; }\n"
    "read -r uptime idle </proc/uptime\n"
    "echo \"# up for $uptime s; of $count messages those about memory, GPUs and disks:\"\n"
    "printf '%s\\n' \"$said\" | grep -aiE 'out of memory|oom-kill|oom_reaper|killed process|memory cgroup|NVRM|Xid|"
    "nvidia|fallen off the bus|I/O error|EXT4-fs (error|warning)|XFS .*(error|corrupt)|remounting|segfault|"
    "hardware error|mce:|hung_task|blocked for more than|no space' | tail -n 300\n"
    "exit 0\n";

// A value may have several lines: they are kept together by another separator, where `env` can.
constexpr const char* kEnvironment =
    "said=$(env -0 2>/dev/null | tr '\\n\\000' '\\037\\n')\n"
    "[ -n \"$said\" ] || said=$(env) || { echo 'env failed'; exit 1; }\n"
    "printf '%s\\n' \"$said\"\n";

constexpr const char* kVersions =
    "export LC_ALL=C\nstatus=0\nuname -a || status=$?\n"
    "grep -E '^(PRETTY_NAME|VERSION_ID)=' /etc/os-release 2>/dev/null\n"
    "for tool in docker podman nvidia-ctk ffmpeg; do\n"
    "  command -v $tool >/dev/null || { echo \"$tool: not there\"; continue; }\n"
    "  case $tool in ffmpeg) said=$($tool -version 2>&1 </dev/null | head -n 1) ;;\n"
    "    *) said=$($tool --version 2>&1 </dev/null | tail -n 1) ;; esac\n"
    "  echo \"$tool: $said\"\n"
    "done\n"
    "cat /proc/driver/nvidia/version 2>/dev/null\n"
    "exit $status\n";

bool IsVariableName(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '%' || c == '.' || c == '-' ||
           c == '(' || c == ')';
  });
}

Found CollectGpu(sdk::Task* task, const std::string& target, milliseconds limit) {
  Found found = RunScript(task, target, kGpu, limit);
  const std::size_t table = found.text.find("# gpus:");
  const std::size_t line = table == found.text.npos ? table : found.text.find('\n', table);
  const bool has_gpus = line != found.text.npos && line + 1 < found.text.size() &&
                        std::isdigit(static_cast<unsigned char>(found.text[line + 1])) != 0;
  if (found.problem.empty() && !has_gpus) found.problem = "nvidia-smi printed no table of GPUs";
  return found;
}

// What /proc and the shell tell is there whatever else fails; a table that df does not print is missed.
Found CollectSystem(sdk::Task* task, const std::string& target, const std::string& place, milliseconds limit) {
  Found found = RunScript(task, target, SystemScript(place), limit);
  const std::size_t disks = found.text.find("# disks");
  const bool has_table = disks != found.text.npos && found.text.find('%', disks) != found.text.npos;
  if (found.problem.empty() && !has_table) found.problem = "df printed no table of disks";
  return found;
}

Found CollectEnvironment(sdk::Task* task, const RunFacts& run, const std::string& target, milliseconds limit) {
  Found found = RunScript(task, target, kEnvironment, limit);
  std::size_t variables = 0, strange = 0;
  found.text = RedactedEnvironment(found.text, run.secrets_unknown, &variables, &strange);
  if (found.problem.empty() && strange > variables) found.problem = "env printed what are no variables";
  return found;
}

// Where jobs work on the target, as a word of a shell.
std::string PlaceOn(const RunFacts& run, const std::string& target) {
  for (const StageFacts& stage : run.suspects) {
    if (stage.target == target && !stage.job_folder.empty()) return sdk::ShellQuote(stage.job_folder);
  }
  const sdk::Json targets = run.json.value("targets", sdk::Json());
  const std::string workdir = TextIn(targets.is_object() ? targets.value(target, sdk::Json()) : sdk::Json(), "workdir");
  if (workdir.rfind("~/", 0) == 0) return "\"$HOME\"/" + sdk::ShellQuote(workdir.substr(2));
  return sdk::ShellQuote(workdir.empty() ? "." : workdir);
}

}  // namespace

std::string RedactedEnvironment(const std::string& text, bool names_only, std::size_t* variables,
                                std::size_t* strange) {
  std::istringstream lines(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    const std::string name = line.substr(0, equals);
    if (equals == line.npos || !IsVariableName(name)) {
      ++*strange;
      if (!names_only) all.push_back(line);
      continue;
    }
    ++*variables;
    std::string value = names_only ? "(not shown)" : NamesASecret(name) ? "***" : line.substr(equals + 1);
    for (std::size_t at = value.find('\037'); at != value.npos; at = value.find('\037')) value.replace(at, 1, "\n    ");
    all.push_back(name + "=" + value);
  }
  std::sort(all.begin(), all.end());
  std::string result;
  for (const std::string& line : all) result += line + "\n";
  return result;
}

std::vector<Collector> MachineCollectors(sdk::Task* task, const RunFacts* run, const std::string& target) {
  const auto script = [=](const char* text) {
    return [=](milliseconds limit) { return RunScript(task, target, text, limit); };
  };
  return {
      {"system", target, target + ".system.txt",
       [=](milliseconds limit) { return CollectSystem(task, target, PlaceOn(*run, target), limit); }},
      {"kernel", target, target + ".kernel.txt", script(kKernel)},
      {"gpu", target, target + ".gpu.txt", [=](milliseconds limit) { return CollectGpu(task, target, limit); }},
      {"environment", target, target + ".environment.txt",
       [=](milliseconds limit) { return CollectEnvironment(task, *run, target, limit); }},
      {"versions", target, target + ".versions.txt", script(kVersions)},
  };
}

}  // namespace cosmos::plugins
