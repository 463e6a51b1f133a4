#include "cli/carry_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/edited_workflow.h"
#include "cli/from_here.h"
#include "cli/interrupt.h"
#include "cli/load_workflow.h"
#include "cli/progress_view.h"
#include "cli/show_run.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "log/run_logger.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "store/attempt.h"
#include "workflow/plan_changes.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

int StatusOf(const RunEnd& end) {
  if (end.status == Status::kCancelled) return kExitCancelled;
  return end.status == Status::kSucceeded ? kExitSucceeded : kExitRunFailed;
}

// What a stage was told (its model's settings, say) is kept as well, and no result.
bool IsResult(const ArtifactRecord& artifact, const std::vector<StageRecord>& stages) {
  if (artifact.name.empty()) return true;
  return std::any_of(stages.begin(), stages.end(), [&](const StageRecord& stage) {
    return AreOfOneAttempt(stage, artifact) && TryParseJson(stage.outputs, kOwnJson).contains(artifact.name);
  });
}

// How many instances failed in the end although their run succeeded (`continue_on_error`).
std::size_t ToleratedFailures(const std::vector<StageRecord>& stages) {
  std::map<std::string, std::pair<int, bool>> last;  // attempt, and whether it failed
  for (const StageRecord& stage : stages) {
    auto& [attempt, failed] = last[StageKey(stage)];
    if (stage.attempt < attempt) continue;
    attempt = stage.attempt;
    failed = stage.status == ToString(Status::kFailed);
  }
  return static_cast<std::size_t>(
      std::count_if(last.begin(), last.end(), [](const auto& instance) { return instance.second.second; }));
}

// `took` is for how long this engine worked: a run that is retried has its start long ago.
void PrintEnd(const RunOrder& order, const RunEnd& end, Duration took, RunStore* store, Console* console) {
  const RunRecord run = store->GetRun(order.run_id);
  if (console->json()) {
    ShowRun(run, store, console);
    return;
  }
  if (end.failure) console->Warn(end.failure.message);
  if (!end.undiagnosed.empty()) {
    console->Warn("the failed run could not be diagnosed: " + end.undiagnosed + "; `cosmos-engine diagnostics " +
                  run.run_id.substr(0, 11) + "` tries again");
  }
  if (console->quiet()) return;
  const std::vector<StageRecord> stages = store->StagesOf(run.run_id);
  const std::size_t tolerated = end.status == Status::kSucceeded ? ToleratedFailures(stages) : 0;
  console->PrintLine(fmt::format(
      "run {} {} in {}{}", run.run_id, console->PaintStatus(run.status), FormatDuration(took),
      tolerated == 0
          ? ""
          : ", though " + Counted(static_cast<std::int64_t>(tolerated), "stage") + " failed (continue_on_error)"));
  for (const ArtifactRecord& artifact : store->ArtifactsOf(run.run_id)) {
    if (!IsResult(artifact, stages)) continue;
    console->PrintLine(fmt::format("  {:<18} {}{}", StageKey(artifact), FromHere(artifact.path),
                                   artifact.files > 0 ? "  (" + Counted(artifact.files, "file") + ")" : ""));
  }
  if (end.status == Status::kSucceeded) return;
  if (const fs::path diagnosis = DiagnosisOf(run); end.status == Status::kFailed && !diagnosis.empty()) {
    console->PrintLine(fmt::format("  {:<18} {}", "why it failed", FromHere(diagnosis / "summary.md")));
  }
  console->PrintLine(
      fmt::format("`cosmos-engine logs {0}` shows the logs, `cosmos-engine retry {0}` tries again what "
                  "did not succeed",
                  run.run_id.substr(0, 11)));
}

}  // namespace

std::vector<OptionSpec> CarryOutOptions() {
  return {{"quiet,q", "", "print nothing but errors"},
          {"verbose,v", "", "print the engine's own log as well"},
          {"metrics-file", "FILE", "keep figures for Prometheus in FILE ($COSMOS_METRICS_FILE)"}};
}

fs::path MetricsFileOf(const Arguments& arguments) {
  const char* const variable = std::getenv("COSMOS_METRICS_FILE");
  const bool given = arguments.Has("metrics-file");
  const std::string path = given ? arguments.Get("metrics-file") : variable == nullptr ? "" : variable;
  if (path.empty() && !given) return {};
  const std::string who = given ? "--metrics-file" : "$COSMOS_METRICS_FILE";
  const fs::path file = path.empty() ? fs::path() : fs::absolute(path).lexically_normal();
  std::error_code error;
  if (!file.has_filename() || fs::is_directory(file, error)) {
    throw Error(ErrorCode::kInvalidInput, who + " is '" + path + "', expected a file",
                "name a file in a folder that is there, such as /var/lib/node_exporter/cosmos.prom");
  }
  if (!fs::is_directory(file.parent_path(), error)) {
    throw Error(ErrorCode::kInvalidInput,
                who + " is '" + path + "', and there is no folder '" + file.parent_path().string() + "'",
                "make the folder, or correct the path");
  }
  return file;
}

int CarryOut(RunOrder order, RunStore* store, const Catalogue* plugins, const Arguments& arguments, Console* console) {
  console->set_quiet(arguments.Has("quiet"));
  order.verbose = arguments.Has("verbose");
  order.cache_folder = CacheFolder();
  InitLogging("cosmos-engine");
  ProgressView progress(console);
  if (!console->quiet() && !console->json()) order.watchers.push_back(progress.Subscribe());
  SystemClock clock;
  CancelToken cancel;
  const Interrupt interrupt(&cancel, "ending the run in order; once more leaves at once, and its jobs go on");
  const SteadyTime begin = clock.Steady();
  const RunEnd end = CarryOutRun(order, store, plugins, &clock, &cancel);
  PrintEnd(order, end, clock.Steady() - begin, store, console);
  return StatusOf(end);
}

int CarryOn(RunOrder::Mode mode, const std::string& retry_from, const std::string& file, const RunRecord& run,
            RunStore* store, const Arguments& arguments, Console* console) {
  RunOrder order;
  order.metrics_file = MetricsFileOf(arguments);
  order.mode = mode;
  order.retry_from = retry_from;
  order.run_id = run.run_id;
  order.output_dir = run.output_dir;
  order.inputs = LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs());
  order.inputs.jobs = static_cast<std::size_t>(arguments.GetNumber("jobs", 1, static_cast<int>(order.inputs.jobs)));
  const std::optional<CheckInput> edited = ReadEdited(order.inputs, file);
  fs::current_path(order.inputs.working_folder);
  const std::string plugin_path = arguments.Get("plugin-path", order.inputs.plugin_path);
  const Catalogue plugins(Catalogue::SearchPath(plugin_path));
  CheckResult checked = Check(edited ? *edited : ReadAgain(order.inputs), plugins);
  if (!checked.plan) {
    PrintFindings(checked.findings, console);
    return kExitWrongInput;
  }
  order.plan = std::move(*checked.plan);
  if (edited) {
    const CheckResult before = Check(ReadAgain(order.inputs), plugins);
    order.changed = ChangedInstances(before.plan ? *before.plan : Plan(), order.plan);
    PrintChanges(order, console);
    Take(*edited, order.plan, &order.inputs);
  } else {
    WarnOfChanges(order.inputs, mode == RunOrder::Mode::kRetry, run.run_id, console);
  }
  return CarryOut(std::move(order), store, &plugins, arguments, console);
}

}  // namespace cosmos
