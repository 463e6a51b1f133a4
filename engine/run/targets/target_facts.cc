#include "run/targets/target_facts.h"

#include <fmt/format.h>

#include <cosmos/media_input.hpp>
#include <cstdlib>

#include "core/text.h"
#include "job/container_engine.h"
#include "run/targets/entrypoint_check.h"
#include "run/targets/gpu_container.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

// What the scripts of target/ssh/ call; they also need GNU's tail.
constexpr const char* kRemoteTools =
    "cat chmod cut date head id ln mkdir mv rm setsid sha256sum sleep stat tail tee timeout";
// What videos are checked with, on the engine's machine.
constexpr const char* kLocalTools = sdk::kFfmpeg;

constexpr int kLongest = 30;  // seconds for a program that asks a driver or a daemon

std::string ToolsScript(bool local) {
  std::string script = fmt::format("for tool in {}; do command -v $tool >/dev/null || echo \"missing $tool\"; done\n",
                                   local ? kLocalTools : kRemoteTools);
  if (!local) script += "tail --pid=1 -n 0 /dev/null >/dev/null 2>&1 || echo 'missing GNU tail'\n";
  return script;
}

std::string WorkdirScript(const std::string& workdir) {
  const std::string folder = ShellQuote(workdir);
  // Nothing is tried, as a check changes nothing.
  return "workdir=" + folder +
         "\nat=$workdir\n"
         "until [ -e \"$at\" ] || [ -L \"$at\" ]; do at=${at%/*}; at=${at:-/}; done\n"
         "if [ ! -d \"$at\" ]; then echo \"unwritable $at: Not a directory\"\n"
         "elif [ ! -w \"$at\" ] || [ ! -x \"$at\" ]; then echo \"unwritable $at: Permission denied, or a read-only "
         "disk\"\n"
         "elif [ \"$at\" = \"$workdir\" ]; then echo 'writable yes'\n"
         "else echo 'writable later'; fi\n"
         "set -- $(stat -f -c '%a %S' -- \"$at\" 2>/dev/null)\n[ $# = 2 ] && echo \"free $(($1 * $2))\"\n";
}

std::string ContainerScript(const nlohmann::json& container, bool gpus) {
  const std::string engine = fmt::format("timeout {} {}", kLongest, ContainerEngine::FromJson(container).Words());
  // Podman has no server that could tell a version.
  const char* side = ContainerEngine::FromJson(container).program == "podman" ? "Client" : "Server";
  std::string script = fmt::format(
      "says=$({} version --format '{{{{.{}.Version}}}}' 2>&1)\n"
      "status=$? engine=$?\necho \"engine $status\"\nprintf '%s\\n' \"$says\" | tell engine_says\n",
      engine, side);
  if (const std::string image = container.value("image", ""); !image.empty()) {
    script += fmt::format(
        "[ $status = 0 ] && {{ {} image inspect --format '{{{{.Id}}}}' {} >/dev/null 2>&1; echo \"image $?\"; }}\n",
        engine, ShellQuote(image));
    script += "[ $status = 0 ] && {\n:\n" + EntrypointScript(container, "entrypoint") + "}\nstatus=$engine\n";
    if (gpus) script += "[ $status = 0 ] && {\n" + GpuContainerScript(container, "gpu_container") + "}\n";
  }
  return script;
}

}  // namespace

TargetFacts::TargetFacts(std::string_view output) {
  for (const std::string& line : SplitLines(output)) {
    const std::size_t space = line.find(' ');
    if (space != line.npos) facts_[line.substr(0, space)].push_back(line.substr(space + 1));
  }
}

std::vector<std::string> TargetFacts::All(const std::string& key) const {
  const auto found = facts_.find(key);
  return found == facts_.end() ? std::vector<std::string>() : found->second;
}

std::string TargetFacts::Get(const std::string& key) const {
  const auto found = facts_.find(key);
  return found == facts_.end() ? "" : found->second.front();
}

std::optional<double> TargetFacts::Number(const std::string& key) const {
  const std::string text = Get(key);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() ? std::nullopt : std::optional<double>(number);
}

std::string TargetFactsScript(const nlohmann::json& config, const std::string& workdir) {
  std::string script =
      "export LC_ALL=C\n"
      "echo \"begin $(date +%s.%N)\"\n"
      "tell() { while IFS= read -r line; do printf '%s %s\\n' \"$1\" \"$line\"; done; }\n"
      "echo \"user $(id -un)\"\n";
  script += ToolsScript(!config.contains("ssh"));
  if (!workdir.empty()) script += WorkdirScript(workdir);
  script += fmt::format(
      "if command -v nvidia-smi >/dev/null; then\n"
      "  says=$(timeout {} nvidia-smi -L 2>&1)\n"
      "  echo \"nvidia_smi_lists $?\"\n"
      "  printf '%s\\n' \"$says\" | tell listed\n"
      "fi\n"
      "echo 'gpus told'\n",
      kLongest);
  script += GpuScript(false);
  script += ContainerScript(config.value("container", nlohmann::json::object()), config.value("gpus", 0) > 0);
  return script + "echo \"end $(date +%s.%N)\"\n";
}

}  // namespace cosmos
