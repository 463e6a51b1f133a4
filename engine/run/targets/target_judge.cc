#include "run/targets/target_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/text.h"
#include "job/container_engine.h"
#include "run/targets/entrypoint_check.h"
#include "run/targets/gpu_container.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Result = TargetCheck::Result;

constexpr double kMostSkew = 2;      // seconds
constexpr double kLeastFree = 20e9;  // bytes
constexpr std::size_t kMostSaid = 300;

// What a program said, on one line.
std::string Said(const TargetFacts& facts, const std::string& key) {
  std::vector<std::string> lines = facts.All(key);
  std::erase(lines, "");
  return lines.empty() ? "nothing was said" : TruncateUtf8(Join(lines, " "), kMostSaid);
}

TargetCheck NoAnswer(const std::string& name, const std::string& what) {
  return {name, Result::kFailed, fmt::format("{} did not answer within {} s", what, kFactsTime),
          "try it there by hand; a driver or daemon that hangs may need a restart"};
}

// The host's clock against ours: it read `begin` after we asked, and `end` before we had the answer. How long the host
// took in between does not matter.
TargetCheck JudgeClock(const TargetFacts& facts, WallTime asked, WallTime answered) {
  const auto begin = facts.Number("begin"), end = facts.Number("end");
  if (!begin || !end) return {"clock", Result::kInfo, "what the host's clock says is not known", ""};
  const auto unix_time = [](WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); };
  const double most = *begin - unix_time(asked), least = *end - unix_time(answered);  // that it is ahead
  const double sure = least > 0 ? least : std::min(most, 0.0);
  if (std::abs(sure) <= kMostSkew) {
    return {"clock", Result::kOk, fmt::format("{:.2f} s or less off this machine's", std::max(most, -least)), ""};
  }
  return {"clock", Result::kWarning,
          fmt::format("the host's clock is {:.1f} s {} this machine's, expected at most {} s", std::abs(sure),
                      sure > 0 ? "ahead of" : "behind", kMostSkew),
          "set the wrong one of the two, such as by `sudo timedatectl set-ntp true`"};
}

TargetCheck JudgeWorkdir(const TargetFacts& facts, const std::string& workdir) {
  if (facts.Has("writable")) {
    const bool later = facts.Get("writable") == "later";
    return {"workdir", Result::kOk,
            workdir + (later ? " does not exist yet; the first job creates it" : " can be written to"), ""};
  }
  if (!facts.Has("unwritable")) return NoAnswer("workdir", "the disk of " + workdir);
  return {
      "workdir", Result::kFailed, "cannot write into " + workdir + ": " + Said(facts, "unwritable"),
      "make it a folder of " + facts.Get("user") + " (`chown`) with room on its disk, or choose another `workdir:`"};
}

TargetCheck JudgeDisk(const TargetFacts& facts, const std::string& workdir) {
  const auto free = facts.Number("free");
  if (!free) return {"disk", Result::kInfo, "how much is free in " + workdir + " is not known", ""};
  const std::string found = fmt::format("{:.1f} GB free in {}", *free / 1e9, workdir);
  if (*free >= kLeastFree) return {"disk", Result::kOk, found, ""};
  return {"disk", Result::kWarning, found + fmt::format(", expected at least {:.0f} GB", kLeastFree / 1e9),
          "`cosmos-engine gc` removes what runs left there; or choose a `workdir:` on another disk"};
}

TargetCheck JudgeTools(const TargetFacts& facts, bool local) {
  const std::vector<std::string> missing = facts.All("missing");
  if (missing.empty()) return {"tools", Result::kOk, "all that jobs need are there", ""};
  const std::string message = "missing: " + Join(missing, ", ");
  if (local) return {"tools", Result::kWarning, message + ", with which videos are checked", "install it"};
  return {"tools", Result::kFailed, message + "; jobs and transfers need them",
          "install GNU coreutils and util-linux there, or check the PATH of commands that come by ssh"};
}

// `2 × NVIDIA H100, 1 × …` of lines such as `GPU 0: NVIDIA H100 (UUID: …)`.
std::string GpuNames(const std::vector<std::string>& gpus) {
  std::map<std::string, int> counts;
  for (const std::string& gpu : gpus) {
    const std::size_t begin = std::min(gpu.find(": "), gpu.size() - 2) + 2;
    ++counts[gpu.substr(begin, gpu.find(" (UUID") - begin)];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(fmt::format("{} × {}", count, name));
  return Join(names, ", ");
}

TargetCheck JudgeGpus(const json& config, const TargetFacts& facts, const GpuReading& reading) {
  if (!facts.Has("gpus")) return NoAnswer("gpus", "nvidia-smi");
  const int expected = config.value("gpus", 0);
  const Result bad = expected > 0 ? Result::kFailed : Result::kWarning;
  const std::string wanted = expected > 0 ? fmt::format(", expected {} (`gpus:`)", expected) : "";
  if (!facts.Has("nvidia_smi_lists")) {
    if (expected > 0) {
      return {"gpus", bad, "there is no nvidia-smi" + wanted, "install NVIDIA's driver there, or correct `gpus:`"};
    }
    // Engines run on many machines without GPUs.
    if (!config.contains("ssh")) return {"gpus", Result::kInfo, "there is no nvidia-smi", ""};
    return {"gpus", bad, "there is no nvidia-smi", "install NVIDIA's driver there, if it has GPUs"};
  }
  if (const std::string faults = reading.Faults(); !faults.empty()) {
    return {"gpus", bad, "GPUs that do not work" + wanted + ": " + faults,
            "reset them there (`nvidia-smi --gpu-reset`) or restart the machine; `dmesg` there may tell more"};
  }
  if (facts.Number("nvidia_smi_lists") != 0.0) {
    return {"gpus", bad, "`nvidia-smi -L` fails" + wanted + ": " + Said(facts, "listed"),
            "fix the driver there: reload or reinstall it, or restart the machine"};
  }
  std::vector<std::string> gpus = facts.All("listed");
  std::erase_if(gpus, [](const std::string& line) { return line.rfind("GPU ", 0) != 0; });
  const int found = static_cast<int>(gpus.size());
  const std::string names = found == 0 ? "no GPU" : GpuNames(gpus);
  if (!config.contains("gpus") || found == expected) return {"gpus", Result::kOk, names, ""};
  return {"gpus", found < expected ? Result::kFailed : Result::kWarning,
          fmt::format("{}, expected {} (`gpus:`)", names, expected),
          found < expected ? "correct `gpus:`, or find out why a GPU is gone (`nvidia-smi`, `dmesg`)"
                           : fmt::format("write `gpus: {}` to use all", found)};
}

std::string HintForEngine(const ContainerEngine& engine, const std::string& said) {
  const auto says = [&](const char* words) { return said.find(words) != said.npos; };
  if (says("password is required") || says("may not run sudo") || says("not in the sudoers")) {
    return "let the user call it without a password (NOPASSWD in sudoers), or leave `sudo: true` away";
  }
  if (engine.sudo && (says("'sudo'") || says("sudo: not found"))) {
    return "install sudo there, or leave `sudo: true` away";
  }
  if (says("ermission denied")) return "add the user to the group `docker` and log in anew, or write `sudo: true`";
  if (says("annot connect") || says("daemon running")) return "start it there, such as by `systemctl start docker`";
  return "install " + engine.program + " there, or choose another one with `engine:` of `container:`";
}

TargetCheck JudgeContainer(const json& config, const TargetFacts& facts) {
  const bool wanted = config.contains("container");
  const ContainerEngine engine = ContainerEngine::FromJson(config.value("container", json::object()));
  if (!facts.Has("engine")) return NoAnswer("container", engine.Name());
  if (facts.Number("engine") == 0.0) {
    const std::vector<std::string> said = facts.All("engine_says");
    return {"container", wanted ? Result::kOk : Result::kInfo,
            engine.Name() + " " + (said.empty() ? "" : said.back()) +
                (wanted ? " can be used" : " could be used; the target has no `container:`"),
            ""};
  }
  if (!wanted) return {"container", Result::kInfo, "none can be used, and the target has no `container:`", ""};
  const std::string said = Said(facts, "engine_says");
  return {"container", Result::kFailed, "`" + engine.Name() + " version` fails: " + said, HintForEngine(engine, said)};
}

TargetCheck JudgeImage(const std::string& image, const TargetFacts& facts) {
  if (facts.Number("engine") != 0.0) {
    return {"image", Result::kInfo, image + " cannot be looked for without the container engine", ""};
  }
  if (!facts.Has("image")) return NoAnswer("image", "the container engine");
  if (facts.Number("image") == 0.0) return {"image", Result::kOk, image + " is there", ""};
  return {"image", Result::kWarning, image + " is not there; it will be pulled when a job needs it",
          "pull it beforehand, so that the first job need not wait for it"};
}

TargetCheck JudgeEntrypoint(const json& container, const TargetFacts& facts) {
  const std::string problem = EntrypointProblem(container, facts, "entrypoint");
  if (problem.empty()) return {"entrypoint", Result::kOk, "the image's entrypoint executes its command", ""};
  const bool slow = facts.Get("entrypoint") == "slow";
  return {"entrypoint", slow ? Result::kWarning : Result::kFailed, problem, kEntrypointHint};
}

TargetCheck JudgeContainerGpus(const json& container, const TargetFacts& facts) {
  const GpuContainerVerdict verdict = JudgeGpuContainer(container, facts, "gpu_container");
  switch (verdict.kind) {
    case GpuContainerVerdict::Kind::kFails:
      return {"container_gpus", Result::kFailed, verdict.message, verdict.hint};
    case GpuContainerVerdict::Kind::kUnknown:
      return {"container_gpus", Result::kWarning, verdict.message, verdict.hint};
    case GpuContainerVerdict::Kind::kGives:
      break;
  }
  if (facts.Get("gpu_container") == "image" || !facts.Has("gpu_container")) {
    return {"container_gpus", Result::kInfo, "whether containers get GPUs is not tried without the image", ""};
  }
  return {"container_gpus", Result::kOk, "a container with GPUs was started", ""};
}

}  // namespace

std::string_view ToString(Result result) {
  constexpr std::string_view kWords[] = {"ok", "info", "warning", "failed"};
  return kWords[static_cast<int>(result)];
}

bool AllGood(const TargetChecks& checks) {
  return std::none_of(checks.begin(), checks.end(),
                      [](const TargetCheck& check) { return check.result == Result::kFailed; });
}

TargetChecks JudgeTarget(const json& config, const std::string& workdir, const TargetFacts& facts,
                         const GpuReading& gpus, WallTime asked, WallTime answered) {
  const bool local = !config.contains("ssh");
  TargetChecks checks;
  if (!local) checks.push_back(JudgeClock(facts, asked, answered));
  if (!workdir.empty()) {
    checks.push_back(JudgeWorkdir(facts, workdir));
    checks.push_back(JudgeDisk(facts, workdir));
  }
  checks.push_back(JudgeTools(facts, local));
  checks.push_back(JudgeGpus(config, facts, gpus));
  checks.push_back(JudgeContainer(config, facts));
  const std::string image = config.value("container", json::object()).value("image", "");
  if (!image.empty()) checks.push_back(JudgeImage(image, facts));
  if (facts.Has("entrypoint")) checks.push_back(JudgeEntrypoint(config["container"], facts));
  if (!image.empty() && config.value("gpus", 0) > 0 && facts.Number("engine") == 0.0) {
    checks.push_back(JudgeContainerGpus(config["container"], facts));
  }
  return checks;
}

}  // namespace cosmos
