#include "run/targets/entrypoint_check.h"

#include <fmt/format.h>

#include <vector>

#include "core/text.h"
#include "job/container.h"
#include "job/container_engine.h"

namespace cosmos {
namespace {

constexpr int kTime = 60;  // seconds; an entrypoint may look around for a while
constexpr std::size_t kMostSaid = 300;

}  // namespace

std::string EntrypointScript(const nlohmann::json& container, const std::string& key) {
  const ContainerSpec spec = ContainerSpec::FromJson(container);
  if (spec.entrypoint == "none" || spec.image.empty()) return "";
  const std::string engine = ContainerEngine::FromJson(container).Words();
  const std::string option = spec.entrypoint == "keep" ? "" : " --entrypoint " + ShellQuote(spec.entrypoint);
  const std::string image = ShellQuote(spec.image);
  // An entrypoint that only prints its arguments does not print the sum.
  return fmt::format(
      "entrypoint=$({0} image inspect --format '{{{{json .Config.Entrypoint}}}}' {1} 2>/dev/null)\n"
      "case ${{entrypoint:+{2}}}$entrypoint in '' | null | '[]') ;; *)\n"
      "  name=cosmos_check_$$\n"
      "  says=$(timeout {3} {0} run --rm --name $name --network none{4} {1} /bin/sh -c 'echo \"executed $((40 + 2))\"' "
      "2>&1)\n"
      "  status=$?\n"
      "  {0} rm -f $name >/dev/null 2>&1\n"
      "  case $status,$says in\n"
      "    *'executed 42'*) echo '{5} works' ;;\n"
      "    124,*) echo '{5} slow' ;;\n"
      "    *) echo '{5} swallows'; printf '%s\\n' \"$says\" | tail -n 5 | tell {5}_says ;;\n"
      "  esac ;;\n"
      "esac\n",
      engine, image, spec.entrypoint == "keep" ? "" : "set ", kTime, option, key);
}

std::string EntrypointProblem(const nlohmann::json& container, const TargetFacts& facts, const std::string& key) {
  const std::string answer = facts.Get(key);
  if (answer == "slow") {
    return fmt::format("the entrypoint of image '{}' did not execute a command within {} s",
                       container.value("image", ""), kTime);
  }
  if (answer != "swallows") return "";
  std::vector<std::string> lines = facts.All(key + "_says");
  std::erase(lines, "");
  const std::string said = TruncateUtf8(Join(lines, " "), kMostSaid);
  return fmt::format("the entrypoint of image '{}' does not execute the command that it gets{}",
                     container.value("image", ""), said.empty() ? "" : "; it says: " + said);
}

}  // namespace cosmos
