#include <fmt/format.h>

#include <utility>

#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

// Free text stands last, where its commas do no harm.
constexpr const char* kFields =
    "driver_version,utilization.gpu,memory.used,memory.total,memory.free,temperature.gpu,power.draw,clocks.sm,"
    "clocks.mem";

// What nvidia-smi says goes on fd 4 as lines with a key, its exit status too; what it says on stderr, with another.
constexpr const char* kFunctions = R"sh(
tell_gpu() { while IFS= read -r line || [ -n "$line" ]; do printf '%s %s\n' "$1" "$line"; done; }
ask_gpu() {
  { { { timeout -k 1 "$limit" nvidia-smi "$@" 2>&3; echo "$status $?" >&4; } | tell_gpu "$key" >&4; } 3>&1 | tell_gpu gpu_error; } 4>&1
}
ask_rows() { ask_gpu "$1" --format=csv,noheader,nounits; }
)sh";

// Who runs the processes, and for how long.
constexpr const char* kUsers = R"sh(
pids=$(printf '%s\n' "$apps" | sed -n 's/^app [^,]*, *\([0-9][0-9]*\),.*/\1/p' | sort -un | head -n 64 | tr '\n' ',')
[ -n "$pids" ] && ps -o pid=,user:32=,etimes= -p "${pids%,}" 2>/dev/null | tell_gpu ps
)sh";

// Programs that only draw are not in the list of those that compute: asked for where memory is in use by nobody known.
constexpr const char* kGraphics = R"sh(
unknown=$(printf '%s\n' "$says" | while IFS=, read -r index uuid bus driver busy used rest; do
  uuid=${uuid# } used=${used# }
  case $index in 'gpu '*) ;; *) continue ;; esac
  case $apps in *"app $uuid"*) continue ;; esac
  [ "${used%%.*}" -ge 1024 ] 2>/dev/null && echo yes
done)
if [ -n "$unknown" ]; then
  key=pids status=pids_status
  more=$(ask_gpu -q -d PIDS)
  printf '%s\n' "$more"
  apps="$apps
$(printf '%s\n' "$more" | sed -n 's/^pids  *Process ID *: *\([0-9]*\)$/app , \1,/p')"
fi
)sh";

}  // namespace

std::string GpuScript(bool details) {
  std::string script = "if command -v nvidia-smi >/dev/null 2>&1; then (\nLC_ALL=C; export LC_ALL";
  script += kFunctions;
  script += fmt::format("limit={} key=gpu status=nvidia_smi\n", kGpuCallTime);
  script +=
      fmt::format("says=$(ask_rows --query-gpu=index,uuid,pci.bus_id,{},mig.mode.current,name) columns=14\n", kFields);
  // Drivers before 450 know no MIG.
  for (const auto& [ids, columns] : {std::pair("index,uuid,pci.bus_id", 13), std::pair("index,uuid", 12)}) {
    script += fmt::format(
        "case $says in *'is not a valid field'*) says=$(ask_rows --query-gpu={},{},name) columns={} ;; esac\n", ids,
        kFields, columns);
  }
  script += "echo \"gpu_columns $columns\"\nprintf '%s\\n' \"$says\"\n";
  script += "case $says in *'gpu 0'* | *'gpu '[0-9]*)\n";
  script += "key=app status=app_status\napps=$(ask_rows --query-compute-apps=gpu_uuid,pid,used_memory,process_name)\n";
  script += "printf '%s\\n' \"$apps\"\n";
  script += kGraphics;
  script += kUsers;
  script += fmt::format("limit={} key=device status=device_status\n", kGpuCallTime / 2);
  if (details) {
    script +=
        "timeout -k 1 $limit nvidia-smi 2>/dev/null | sed -n 's/.*CUDA Version: *\\([0-9.]*\\).*/cuda \\1/p'\n"
        "ask_gpu -L\n";
  } else {  // whose processes are told by them
    script += "case $says in *', Enabled'*) ask_gpu -L ;; esac\n";
  }
  return script + ";; esac\n) else echo no_nvidia_smi; fi\necho gpu_end\n";
}

}  // namespace cosmos
