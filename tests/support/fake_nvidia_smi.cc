#include "support/fake_nvidia_smi.h"

#include <fstream>
#include <utility>

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

// FOLDER is where it finds what to say.
constexpr const char* kProgram = R"sh(#!/bin/sh
folder=FOLDER
echo "$*" >>"$folder/calls" 2>/dev/null
. "$folder/first"
answer() {
  awk -F '\t' -v fields="$1" '
    NR == 1 {
      for (i = 1; i <= NF; ++i) at[$i] = i
      n = split(fields, want, ",")
      for (i = 1; i <= n; ++i) if (!(want[i] in at)) { print "Field \"" want[i] "\" is not a valid field to query."; exit 2 }
      next
    }
    { row = $(at[want[1]]); for (i = 2; i <= n; ++i) row = row ", " $(at[want[i]]); print row }' "$2" || exit
  cat "$folder/errors" >&2
  exit $(cat "$folder/status")
}
case $1 in
  --query-gpu=*) answer "${1#*=}" "$folder/gpus" ;;
  --query-compute-apps=*) answer "${1#*=}" "$folder/processes" ;;
  -L) awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i; next }
        { print "GPU " $(at["index"]) ": " $(at["name"]) " (UUID: " $(at["uuid"]) ")" }' "$folder/gpus" ;;
  '') echo '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4 |' ;;
esac
)sh";

// Lines of cells that no cell's comma confuses, below one of the fields' names.
std::string Table(const std::vector<FakeNvidiaSmi::Values>& rows, const FakeNvidiaSmi::Values& fields) {
  std::string text;
  const auto add = [&](const FakeNvidiaSmi::Values& row, bool head) {
    std::string line;
    for (const auto& [field, otherwise] : fields) {
      const auto found = row.find(field);
      line += (line.empty() ? "" : "\t") + (head ? field : found == row.end() ? otherwise : found->second);
    }
    text += line + "\n";
  };
  add({}, true);
  for (const FakeNvidiaSmi::Values& row : rows) add(row, false);
  return text;
}

}  // namespace

FakeNvidiaSmi::Values FakeNvidiaSmi::Gpu(int index, const Values& changed) {
  const std::string number = std::to_string(index);
  Values gpu = {{"index", number},
                {"uuid", "GPU-" + number},
                {"pci.bus_id", "00000000:4" + number + ":00.0"},
                {"driver_version", "550.54.15"},
                {"utilization.gpu", "0"},
                {"memory.used", "4"},
                {"memory.total", "81559"},
                {"memory.free", "80900"},
                {"temperature.gpu", "30"},
                {"power.draw", "70.10"},
                {"clocks.sm", "345"},
                {"clocks.mem", "2619"},
                {"mig.mode.current", "Disabled"},
                {"name", "NVIDIA H100 80GB HBM3"}};
  for (const auto& [field, value] : changed) gpu[field] = value;
  return gpu;
}

FakeNvidiaSmi::FakeNvidiaSmi(fs::path folder) : folder_(std::move(folder)) {
  const fs::path data = folder_ / "nvidia";
  fs::create_directories(data);
  std::ofstream(data / "calls") << "";
  fs::permissions(data / "calls", fs::perms(0666));
  SetGpus(1);
  SetProcesses({});
  SetErrors("", 0);
  SetFirst(":");
  std::string program = kProgram;
  program.replace(program.find("FOLDER"), 6, "'" + data.string() + "'");
  std::ofstream(folder_ / "nvidia-smi") << program;
  fs::permissions(folder_ / "nvidia-smi", fs::perms(0755));
}

void FakeNvidiaSmi::SetGpus(const std::vector<Values>& gpus) const { Put("gpus", Table(gpus, Gpu(0))); }

void FakeNvidiaSmi::SetGpus(int idle) const {
  std::vector<Values> gpus;
  for (int i = 0; i < idle; ++i) gpus.push_back(Gpu(i));
  SetGpus(gpus);
}

void FakeNvidiaSmi::SetProcesses(const std::vector<Values>& processes) const {
  Put("processes",
      Table(processes,
            {{"gpu_uuid", "GPU-0"}, {"pid", "4242"}, {"used_memory", "20000"}, {"process_name", "/usr/bin/python3"}}));
}

void FakeNvidiaSmi::SetErrors(const std::string& errors, int exit_status) const {
  Put("errors", errors);
  Put("status", std::to_string(exit_status));
}

void FakeNvidiaSmi::SetFirst(const std::string& lines) const { Put("first", lines + "\n"); }

std::vector<std::string> FakeNvidiaSmi::Calls() const {
  std::vector<std::string> calls;
  std::ifstream file(folder_ / "nvidia" / "calls");
  for (std::string line; std::getline(file, line);) calls.push_back(line);
  return calls;
}

void FakeNvidiaSmi::Put(const std::string& name, const std::string& text) const {
  const fs::path file = folder_ / "nvidia" / name;
  std::ofstream(file.string() + ".new") << text;
  fs::permissions(file.string() + ".new", fs::perms(0644));
  fs::rename(file.string() + ".new", file);
}

}  // namespace cosmos::testing
