#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "cli/carry_out.h"
#include "cli/command.h"
#include "cli/load_workflow.h"
#include "cli/preflight_report.h"
#include "cli/print_plan.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/ids.h"
#include "run/log_path_check.h"

namespace cosmos {
namespace {

constexpr int kLeastDefaultJobs = 2;
constexpr int kLeastPriority = -100;
constexpr int kHighestPriority = 100;

std::string ChooseRunId(const Arguments& arguments) {
  if (!arguments.Has("run-id")) return NewRunId();
  const std::string run_id = arguments.Get("run-id");
  CheckRunId(run_id);
  return run_id;
}

void CheckIsNew(const std::string& run_id, RunStore* store) {
  if (!store->HasRun(run_id)) return;
  throw Error(ErrorCode::kInvalidInput, "there is a run '" + run_id + "' already",
              "choose another id, or go on with it: `cosmos-engine resume " + run_id + "`");
}

int DryRun(const RunOrder& order, const Catalogue& plugins, const Arguments& arguments, Console* console) {
  if (!arguments.Has("check-targets")) {
    PrintPlan(order.plan, plugins, order.output_dir, nullptr, console);
    return kExitSucceeded;
  }
  const PreflightReport report = CheckPreflight(order, plugins, OpenStore(arguments).get());
  PrintPlan(order.plan, plugins, order.output_dir, ToJson(report), console);
  if (!console->json()) PrintPreflight(report, console);
  if (HasErrors(report.findings)) return kExitWrongInput;
  return report.unreachable.empty() ? kExitSucceeded : kExitCannotWork;
}

// Load, check, plan, run, report.
int Run(const Arguments& arguments, Console* console) {
  if (arguments.Has("check-targets") && !arguments.Has("dry-run")) {
    throw Error(ErrorCode::kInvalidInput, "--check-targets was given without --dry-run",
                "add it to look and execute nothing; a run looks by itself");
  }
  RunOrder order;
  order.run_id = ChooseRunId(arguments);
  order.metrics_file = MetricsFileOf(arguments);
  const CheckInput input = ReadWorkflow(arguments.Positional(0), arguments);
  const Catalogue plugins(Catalogue::SearchPath(arguments.Get("plugin-path")));
  CheckResult checked = Check(input, plugins);
  if (!checked.plan) {
    PrintFindings(checked.findings, console);
    return kExitWrongInput;
  }
  order.plan = std::move(*checked.plan);
  order.inputs = InputsOf(input, order.plan, arguments);
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  order.inputs.jobs = static_cast<std::size_t>(arguments.GetNumber("jobs", 1, std::max(kLeastDefaultJobs, processors)));
  order.inputs.owner = NewToken();
  order.inputs.priority = arguments.GetNumber("priority", kLeastPriority, 0, kHighestPriority);
  order.output_dir = std::filesystem::absolute(arguments.Get("output-dir", "outputs")).lexically_normal();
  CheckLogPaths(order.plan, plugins, order.output_dir, order.run_id);
  if (arguments.Has("dry-run")) return DryRun(order, plugins, arguments, console);
  const auto store = OpenStore(arguments);
  CheckIsNew(order.run_id, store.get());
  if (!arguments.Has("no-preflight")) order.before = PreflightOf(order, plugins, store.get(), console);
  return CarryOut(std::move(order), store.get(), &plugins, arguments, console);
}

}  // namespace

Command RunCommand() {
  std::vector<OptionSpec> options = WorkflowOptions();
  options.push_back({"run-id", "ID", "the run's id, instead of a random one"});
  options.push_back({"jobs,j", "N", "at most so many stages at once (default: one a processor, at least 2)"});
  options.push_back({"priority", "N", "a run with a higher one gets GPUs first; -100 to 100 (default: 0)"});
  options.push_back({"dry-run", "", "print the plan and execute nothing"});
  options.push_back({"check-targets", "", "with --dry-run: also look whether what the stages need is there"});
  options.push_back({"no-preflight", "", "do not look whether what the stages need is there"});
  options.push_back({"output-dir", "DIR", "where logs and outputs go (default: outputs)"});
  for (const auto& more : {CarryOutOptions(), CommonOptions()}) options.insert(options.end(), more.begin(), more.end());
  options.push_back(DbOption());
  options.push_back(PluginPathOption());
  return {
      "run",
      "WORKFLOW [-p NAME=VALUE]... [options]",
      "Checks a workflow and runs it.",
      "Before anything is executed it looks whether the stages' videos decode and fit each other, and whether their\n"
      "targets have the files, images, GPUs and disk that they need.\n"
      "Ctrl-C once ends the run in order; twice leaves at once, and `cosmos-engine resume` goes on with it.\n"
      "Exit status: 0 succeeded, 1 the run failed, 2 the input is wrong and nothing was executed, 3 the engine or a\n"
      "target could not do its work, 130 cancelled.",
      options,
      {"WORKFLOW", 1, 1},
      Run};
}

}  // namespace cosmos
