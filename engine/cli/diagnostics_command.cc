#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <system_error>

#include "cli/command.h"
#include "cli/load_workflow.h"
#include "cli/state_home.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "run/diagnosis/diagnosis.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr std::size_t kWidest = 300;

// Warnings of the plugin; the run's own log stays as it is.
class ConsoleLogger final : public Logger {
 public:
  explicit ConsoleLogger(Console* console) : console_(*console) {}
  void Log(LogLevel level, const RunContext&, std::string_view text) noexcept override {
    if (level >= LogLevel::kWarning) console_.Warn(std::string(text));
  }

 private:
  Console& console_;
};

// What the run was started from; nothing when its folder is gone, of which its record still tells.
std::optional<RunInputs> InputsOf(const RunRecord& run, Console* console) {
  try {
    return LoadRunInputs(RunPaths(run.output_dir, run.run_id).inputs());
  } catch (const Error& error) {
    console->Warn(error.message() + "; its other targets cannot be looked at");
    return std::nullopt;
  }
}

// Those whose values are not there any more cannot be masked where they still stand.
void TakeSecrets(const RunInputs& inputs, const Catalogue& plugins, InspectionSources* sources) {
  const CheckResult checked = Check(ReadAgain(inputs), plugins);
  if (!checked.plan) {
    sources->secrets_unknown.emplace_back("those of a workflow that does not pass its check any more");
    return;
  }
  Secrets known;
  for (const SecretSource& source : checked.plan->secrets) {
    sources->secrets.push_back(source.name);
    try {
      known.merge(ReadSecrets({source}));
    } catch (const Error&) {
      sources->secrets_unknown.push_back(source.name);
    }
  }
  sources->masker = MaskerOf(known);
}

json ToJson(const RunRecord& run, const Diagnosis& diagnosis, Duration took) {
  return {{"run_id", run.run_id},
          {"folder", diagnosis.summary.empty() ? json() : json(diagnosis.folder.string())},
          {"summary", TextOrNull(diagnosis.summary.string())},
          {"problem", TextOrNull(diagnosis.problem)},
          {"duration", Seconds(took)},
          {"items", diagnosis.items}};
}

void Print(const RunRecord& run, const Diagnosis& diagnosis, Duration took, Console* console) {
  if (diagnosis.summary.empty()) {
    console->Warn("run " + run.run_id + " could not be diagnosed: " + diagnosis.problem);
    return;
  }
  console->PrintLine(
      fmt::format("looked at run {} in {}; read {}", run.run_id, FormatDuration(took), diagnosis.summary.string()));
  for (const json& item : diagnosis.items) {
    const std::string status = TextIn(item, "status");
    if (status == "collected") continue;
    const std::string target = TextIn(item, "target");
    console->PrintLine(fmt::format(
        "  {} {}{}: {}",
        console->Paint(status == "failed" ? Colour::kRed : Colour::kGrey, fmt::format("{:<8}", status)),
        TextIn(item, "name"), target.empty() ? target : " of " + target, OneLine(TextIn(item, "reason"), kWidest)));
  }
}

// Find, look, tell.
int Diagnostics(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  const std::optional<RunInputs> inputs = InputsOf(run, console);
  const std::string plugin_path = arguments.Get("plugin-path", inputs ? inputs->plugin_path : "");
  if (inputs) {
    std::error_code gone;  // relative paths are those of the run, as far as there still is such a folder
    fs::current_path(inputs->working_folder, gone);
  }
  const Catalogue plugins(Catalogue::SearchPath(plugin_path));
  InspectionSources sources;
  sources.plugins = &plugins;
  sources.read = [&](const std::function<void(RunStore&)>& work) { work(*store); };
  if (inputs) {
    for (const auto& [name, config] : inputs->targets.items()) sources.targets[name] = config;
    TakeSecrets(*inputs, plugins, &sources);
  }
  sources.targets.try_emplace("local", json{{"local", json::object()}});
  ConsoleLogger logger(console);
  const CancelToken cancel;
  SystemClock clock;
  const SteadyTime begin = clock.Steady();
  const Diagnosis diagnosis = Diagnose(run, sources, &logger, cancel);
  const Duration took = clock.Steady() - begin;
  if (console->json()) {
    console->PrintJson(ToJson(run, diagnosis, took));
  } else {
    Print(run, diagnosis, took, console);
  }
  return diagnosis.summary.empty() ? kExitCannotWork : kExitSucceeded;
}

}  // namespace

Command DiagnosticsCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  options.push_back(PluginPathOption());
  return {
      "diagnostics",
      "RUN_ID [options]",
      "Looks for the reason why a run failed.",
      "Collects the state of GPUs, containers and machines, the commands that were sent there, logs, workflow and\n"
      "parameters into OUTPUT_DIR/PROMPT_ID/diagnostics/RUN_ID/, of which summary.md is to be read first. A failed\n"
      "run has been looked at already; this does it again, or for a run that goes on, and changes nothing of it.\n"
      "RUN_ID may be cut to a unique beginning, or be `last`.\n"
      "Exit status: 0 it was written, 2 there is no such run, 3 it could not be written.",
      options,
      {"RUN_ID", 1, 1},
      Diagnostics};
}

}  // namespace cosmos
