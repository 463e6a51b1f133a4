#include "run/targets/gpu_container.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "core/text.h"
#include "job/container_engine.h"

namespace cosmos {
namespace {

constexpr int kTime = 60;  // seconds; a large image takes some to start for the first time
constexpr std::size_t kMostSaid = 300;

// Those of the user's own arguments that have to do with GPUs.
std::string RuntimeWords(const nlohmann::json& container) {
  const auto args = container.value("args", std::vector<std::string>());
  std::string words;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].rfind("--runtime", 0) != 0) continue;
    words += " " + ShellQuote(args[i]);
    if (args[i] == "--runtime" && i + 1 < args.size()) words += " " + ShellQuote(args[i + 1]);
  }
  return words;
}

}  // namespace

std::string GpuContainerScript(const nlohmann::json& container, const std::string& key) {
  const ContainerEngine engine = ContainerEngine::FromJson(container);
  return fmt::format(
      "if {0} image inspect {1} >/dev/null 2>&1; then\n"
      "  name=cosmos_check_$$\n"
      "  says=$(timeout {2} {0} run --rm --name $name --network none --gpus all{3} --entrypoint /bin/sh {1} -c : "
      "2>&1)\n"
      "  status=$?\n"
      "  {0} rm -f $name >/dev/null 2>&1\n"
      "  echo \"{4} $status\"\n"
      "  printf '%s\\n' \"$says\" | tell {4}_says\n"
      "elif {0} version >/dev/null 2>&1; then\n"
      "  echo '{4} image'\n"
      "  {0} info 2>/dev/null | grep -qi nvidia || command -v nvidia-container-runtime-hook >/dev/null ||\n"
      "    command -v nvidia-ctk >/dev/null || echo '{4}_toolkit no'\n"
      "fi\n",
      engine.Words(), ShellQuote(container.value("image", "")), kTime, RuntimeWords(container), key);
}

GpuContainerVerdict JudgeGpuContainer(const nlohmann::json& container, const TargetFacts& facts,
                                      const std::string& key) {
  using Kind = GpuContainerVerdict::Kind;
  constexpr const char* kHint =
      "install NVIDIA's container toolkit there (`nvidia-ctk runtime configure`) and restart the container engine";
  const std::string name = ContainerEngine::FromJson(container).Name();
  const std::string status = facts.Get(key);
  if (status == "image" || status.empty()) {
    if (!facts.Has(key + "_toolkit")) return {};
    return {Kind::kUnknown,
            name + " may not be able to give containers GPUs: nothing of NVIDIA's container toolkit was found", kHint};
  }
  std::vector<std::string> lines = facts.All(key + "_says");
  std::erase(lines, "");
  const std::string said = TruncateUtf8(Join(lines, " "), kMostSaid);
  if (status == "124") {
    return {Kind::kUnknown, fmt::format("a container with GPUs did not start within {} s", kTime),
            "try it there by hand; a driver or daemon that hangs may need a restart"};
  }
  std::string lower = said;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto says = [&](const char* words) { return lower.find(words) != lower.npos; };
  const bool of_gpus = says("nvidia") || says("device driver") || says("cdi") || says("gpu");
  // An image without a shell has got its GPUs by then.
  if (status == "0" || (status != "125" && !of_gpus)) return {};
  return {Kind::kFails, name + " cannot give containers GPUs: " + said, kHint};
}

}  // namespace cosmos
