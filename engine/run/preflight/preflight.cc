#include "run/preflight/preflight.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/json_values.h"
#include "run/history_key.h"
#include "run/preflight/gpu_needs.h"
#include "run/preflight/local_needs.h"
#include "run/preflight/preview.h"
#include "run/preflight/target_needs.h"
#include "run/run_paths.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

using nlohmann::json;

// Without those that say the same again, of other instances of the stage.
PreflightFindings EachOnce(PreflightFindings findings) {
  PreflightFindings once;
  std::set<PreflightFinding> seen;
  for (PreflightFinding& finding : findings) {
    if (seen.insert(finding).second) once.push_back(std::move(finding));
  }
  return once;
}

StageNeeds NeedsOf(const StageInstance& instance, const json& needs) {
  StageNeeds read = StageNeeds::FromJson(needs);
  read.stage = instance.stage;
  read.target = instance.target;
  read.where = instance.where;
  read.gpus = std::max(instance.gpus, 1);
  read.uses = instance.uses;
  read.gpus_asked = instance.gpus > 0;
  read.waits_for_gpus = read.gpus_asked && instance.gpu_busy == "wait";
  read.container = instance.container;
  json variables = instance.container.is_null() ? json() : instance.container.value("env", json());
  variables.update(instance.env);
  read.env = PlainMembers(variables);
  return read;
}

// A plugin that cannot do its work now fails its stage later, with all that the run tells about it; null for it.
json JobOf(const Plan& plan, const StageInstance& instance, const Catalogue& plugins, const RunPaths& paths) {
  try {
    return Preview(plan, instance, plugins, paths)["job"];
  } catch (const Error&) {
    return nullptr;
  }
}

// The most memory that one GPU held in earlier jobs like it, in bytes; 0: not known.
std::int64_t MeasuredMemory(const StageNeeds& needs, const GpuReading& gpus, const PeakMemory& peak_memory,
                            const CancelToken& cancel) {
  if (!needs.history.is_object() || !peak_memory || gpus.gpus.empty()) return 0;
  const std::string gpu = needs.gpus_asked ? gpus.gpus.front().name : "";
  return peak_memory(
      HistoryKey(needs.history, needs.uses, needs.gpus_asked ? needs.gpus : 0, gpu, needs.target, cancel));
}

}  // namespace

std::string_view ToString(PreflightFinding::Severity severity) {
  constexpr std::string_view kWords[] = {"info", "warning", "error"};
  return kWords[static_cast<int>(severity)];
}

bool HasErrors(const PreflightFindings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const PreflightFinding& finding) {
    return finding.severity == PreflightFinding::Severity::kError;
  });
}

Preflight::Preflight(const Plan& plan, const Catalogue& plugins, const std::filesystem::path& output_dir) {
  const RunPaths paths(output_dir, "RUN_ID");
  for (const StageInstance& instance : plan.instances) {
    const json job = JobOf(plan, instance, plugins, paths);
    const bool tells = job.is_object() && job.contains("needs");
    if (!tells && instance.gpus == 0 && instance.container.is_null()) continue;
    try {
      needs_.push_back(NeedsOf(instance, tells ? job["needs"] : json::object()));
    } catch (const json::exception& e) {
      throw Error(ErrorCode::kPlugin, "plugin '" + instance.uses + "' tells needs of another shape: " + e.what(),
                  "mend the plugin; sdk/include/cosmos/plugin.h has the shape");
    }
  }
}

PreflightFindings Preflight::LookHere(const CancelToken& cancel) const {
  LocalNeeds local(&cancel);
  PreflightFindings findings;
  for (const StageNeeds& needs : needs_) {
    if (cancel.cancelled()) break;
    for (PreflightFinding& finding : JudgeResources(needs)) findings.push_back(std::move(finding));
    for (PreflightFinding& finding : local.Look(needs)) findings.push_back(std::move(finding));
  }
  return EachOnce(std::move(findings));
}

std::set<std::string> Preflight::Targets() const {
  std::set<std::string> targets;
  for (const StageNeeds& needs : needs_) {
    if (needs.of_target()) targets.insert(needs.target);
  }
  return targets;
}

PreflightFindings Preflight::LookAt(const std::string& name, Target* target, const PeakMemory& peak_memory,
                                    const CancelToken& cancel) const {
  const std::string workdir = target->FindWorkdir();
  TargetQuestions questions(workdir);
  for (const StageNeeds& needs : needs_) {
    if (needs.target == name && needs.of_target()) questions.Ask(needs);
  }
  const TargetOutput output = target->Run(questions.Script(), std::chrono::seconds(kQuestionsTime));
  const TargetFacts answers(output.output);
  const GpuReading gpus = ParseGpuAnswer(output.output);
  PreflightFindings findings;
  for (const StageNeeds& needs : needs_) {
    if (needs.target != name || !needs.of_target()) continue;
    for (PreflightFinding& finding : questions.Judge(needs, answers)) findings.push_back(std::move(finding));
    for (PreflightFinding& finding : JudgeGpus(needs, gpus, MeasuredMemory(needs, gpus, peak_memory, cancel))) {
      findings.push_back(std::move(finding));
    }
  }
  return EachOnce(std::move(findings));
}

}  // namespace cosmos
