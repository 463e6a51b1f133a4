#include "cli/show_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "cli/failure_text.h"
#include "cli/from_here.h"
#include "cli/local_time.h"
#include "cli/progress_bar.h"
#include "cli/show_gpus.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/status.h"
#include "core/text.h"
#include "run/lost_connections.h"
#include "run/run_cancel.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

std::string Line(const char* name, const std::string& value) {
  return value.empty() ? "" : fmt::format("{:<10}{}\n", name, value);
}

std::string Took(std::int64_t begin, std::int64_t end) {
  return end == 0 || begin == 0 ? ""
                                : FormatDuration(std::chrono::milliseconds(std::max<std::int64_t>(0, end - begin)));
}

std::string PathText(const std::filesystem::path& path) { return path.empty() ? "" : FromHere(path); }

std::string StageText(const StageRecord& stage, bool run_active, const std::vector<ContainerRecord>& containers,
                      const std::vector<ArtifactRecord>& artifacts, const std::vector<GpuUsageRecord>& usages,
                      const nlohmann::json& seeds, const Console& console) {
  const std::string key = StageKey(stage);
  std::string text = fmt::format("\n{}  {}", console.Paint(Colour::kBold, key), console.PaintStatus(stage.status));
  if (stage.attempt > 1) text += fmt::format(", attempt {}", stage.attempt);
  const bool ran = !stage.operation_id.empty();  // otherwise it was skipped, or never got out of the queue
  if (const std::string took = Took(stage.started_at, stage.ended_at); ran && !took.empty()) text += " in " + took;
  text += fmt::format("  ({} on {})\n", stage.uses, stage.target);
  const Status status = StatusOf(stage.status);
  const std::string progress = status == Status::kSucceeded
                                   ? ""
                                   : ProgressText(TryParseJson(stage.progress, kOwnJson), run_active && !IsEnd(status));
  if (!progress.empty()) text += "  " + Line("progress", progress);
  if (seeds.contains(key)) text += "  " + Line("seed", seeds[key].dump());
  if (!stage.error_message.empty()) text += "  " + Line("error", ReasonOf(stage.error_message, key));
  if (!stage.log_path.empty()) text += "  " + Line("log", PathText(stage.log_path));
  for (const ContainerRecord& container : containers) {
    if (!AreOfOneAttempt(container, stage)) continue;
    text += "  " + Line("container", fmt::format("{}  {}, {}", container.name, container.image, container.status));
  }
  text += GpuUsageText(stage, usages);
  for (const ArtifactRecord& artifact : artifacts) {
    if (!AreOfOneAttempt(artifact, stage)) continue;
    text += "  " + Line(artifact.name.empty() ? "artifact" : artifact.name.c_str(),
                        fmt::format("{}  {}{}", PathText(artifact.path),
                                    artifact.files > 0 ? Counted(artifact.files, "file") + ", " : "",
                                    FormatSize(artifact.size)));
  }
  return text;
}

// The attempts of an instance together, in the order in which the instances began; those of a workflow that a stage
// uses (`shot.render`) below that stage (`shot`).
std::vector<StageRecord> ByInstance(std::vector<StageRecord> stages) {
  std::map<std::string, std::size_t> first;  // place, by key
  for (std::size_t i = 0; i < stages.size(); ++i) first.emplace(StageKey(stages[i]), i);
  const auto outermost = [&](const std::string& key) {
    for (std::size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
      if (first.count(key.substr(0, dot)) > 0) return key.substr(0, dot);
    }
    return key;
  };
  std::map<std::string, std::size_t> groups;  // the place of the first instance, by the outermost key
  for (const auto& [key, place] : first) {
    const auto [group, is_new] = groups.emplace(outermost(key), place);
    if (!is_new) group->second = std::min(group->second, place);
  }
  std::map<std::string, std::tuple<std::size_t, bool, std::size_t>> ranks;
  for (const auto& [key, place] : first) {
    const std::string group = outermost(key);
    ranks[key] = {groups.at(group), key != group, place};
  }
  std::stable_sort(stages.begin(), stages.end(),
                   [&](auto& a, auto& b) { return ranks.at(StageKey(a)) < ranks.at(StageKey(b)); });
  return stages;
}

// What the run was started from; nothing when its folder is gone.
std::optional<RunInputs> InputsOf(const RunRecord& run) {
  try {
    return LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs());
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string InputsText(const RunInputs& inputs) {
  std::string text = Line("text", inputs.prompt) + Line("negative", inputs.negative_prompt);
  const char* head = "params";
  for (const auto& [name, value] : inputs.params.items()) {
    text += Line(std::exchange(head, ""), name + " = " + PlainText(value));
  }
  return text;
}

std::string QueuedText(const GpuClaimRecord& claim, const Console& console) {
  const std::string key = StageKey(claim);
  const auto waited = std::chrono::system_clock::now() - FromUnixMilliseconds(claim.requested_at);
  return fmt::format("\n{}  {} for {}  (on {})\n  {}", console.Paint(Colour::kBold, key), console.PaintStatus("queued"),
                     FormatDuration(waited), claim.target, Line("reason", ReasonOf(claim)));
}

}  // namespace

std::string LostConnectionText(const nlohmann::json& lost) {
  std::string age = "some time";
  try {
    age = FormatDuration(std::max(
        Duration::zero(), Duration(std::chrono::system_clock::now() - ParseTime(lost["since"].get<std::string>()))));
  } catch (const Error&) {
  }
  const std::string reason = lost["reason"];
  return fmt::format("connection to '{}' {} ago{}; its jobs go on", lost["target"].get<std::string>(), age,
                     reason.empty() ? "" : ": " + OneLine(reason, 200));
}

std::string FormatSize(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1000 && unit + 1 < std::size(kUnits)) {
    size /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

void ShowRun(const RunRecord& run, RunStore* store, Console* console) {
  if (console->json()) {
    console->PrintJson(RunToJson(run, store));
    return;
  }
  std::string text = Line("run", run.run_id) + Line("workflow", run.workflow + "  (" + run.workflow_path + ")");
  text += Line("status", console->PaintStatus(StatusForPeople(run)));
  text += Line("error", run.error_message);
  text += Line("started", LocalTime(run.started_at));
  if (run.retried_at != 0) text += Line("retried", LocalTime(run.retried_at));
  if (run.ended_at != 0) text += Line("ended", LocalTime(run.ended_at));
  text += Line("took", Took(run.LatestStart(), run.ended_at)) + Line("prompt", run.prompt_id) +
          Line("log", PathText(run.log_path));
  text += Line("diagnosis", PathText(DiagnosisOf(run)));
  const std::optional<RunInputs> inputs = InputsOf(run);
  if (inputs) text += InputsText(*inputs);
  for (const nlohmann::json& lost : LostConnections(run)) text += Line("lost", LostConnectionText(lost));
  const std::vector<ArtifactRecord> artifacts = store->ArtifactsOf(run.run_id);
  const std::vector<ContainerRecord> containers = store->ContainersOf(run.run_id);
  const std::vector<GpuUsageRecord> usages = store->GpuUsagesOf(run.run_id);
  const bool active = IsActive(run);
  for (const StageRecord& stage : ByInstance(store->StagesOf(run.run_id)))
    text += StageText(stage, active, containers, artifacts, usages, inputs ? inputs->seeds : nlohmann::json::object(),
                      *console);
  for (const GpuClaimRecord& claim : store->GpuClaims()) {
    if (claim.run_id == run.run_id && claim.devices.empty()) text += QueuedText(claim, *console);
  }
  console->Print(text);
}

}  // namespace cosmos
