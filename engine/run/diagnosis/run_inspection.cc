#include "run/diagnosis/run_inspection.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "run/mask_json.h"
#include "run/run_inputs.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "run/targets/command_log.h"

namespace cosmos {
namespace {

using nlohmann::json;

}  // namespace

RunInspection::RunInspection(const InspectionSources* sources, const CancelToken* cancel)
    : sources_(*sources), cancel_(*cancel), probes_(&sources->targets) {}

json RunInspection::RunOn(const std::string& target, const std::string& script, Duration longest) {
  const TargetOutput output = probes_.Run(target, script, longest, cancel_);
  return {{"exit_status", output.exit_status},
          {"output", output.output},
          {"errors", output.errors},
          {"timed_out", output.timed_out}};
}

json RunInspection::Commands(const std::string& run_id, const std::string& target, std::size_t limit) {
  const RunRecord run = RunOf(run_id, nullptr);
  return MaskJson(ReadCommands(RunPaths(run.output_dir, run_id).commands(), target, limit), sources_.masker);
}

json RunInspection::Facts(const std::string& run_id) {
  json facts;
  const RunRecord run = RunOf(run_id, &facts);
  const RunPaths paths(run.output_dir, run_id);
  std::optional<RunInputs> inputs;
  try {
    inputs = LoadRunInputs(paths.inputs());
  } catch (const Error&) {  // the run's folder is gone
  }
  for (json& stage : facts["stages"]) {  // of an edited database it may be any file
    if (stage["log_path"].is_string() && !paths.Holds(stage["log_path"].get<std::string>()))
      stage["log_path"] = nullptr;
  }
  facts["params"] = inputs ? inputs->params : json();
  facts["workflow_text"] = inputs ? json(inputs->workflow_text) : json();
  facts["targets"] = inputs ? inputs->targets : json();
  facts["engine_log"] = paths.engine_log().string();
  facts["secrets"] = sources_.secrets;
  facts["secrets_unknown"] = sources_.secrets_unknown;
  facts["versions"] = VersionsFor(facts);
  return MaskJson(facts, sources_.masker);
}

// The store's writer would give up on what its changes throw, so nothing is thrown there.
RunRecord RunInspection::RunOf(const std::string& run_id, json* report) const {
  std::optional<RunRecord> run;
  sources_.read([&](RunStore& store) {
    if (!store.HasRun(run_id)) return;
    run = store.GetRun(run_id);
    if (report == nullptr) return;
    *report = run_id == sources_.own_run ? RunToJson(*run, &store, true) : RunToJson(*run, &store);
  });
  if (run) return *run;
  throw Error(ErrorCode::kNotFound, "there is no run '" + run_id + "'", "`cosmos-engine runs` lists them");
}

json RunInspection::VersionsFor(const json& report) const {
  json plugins = json::object();
  std::set<std::string> used = {"diagnostics"};
  for (const json& stage : report["stages"]) used.insert(stage.value("uses", ""));
  for (const std::string& id : used) {
    const PluginFacts* facts = sources_.plugins->Find(id);
    if (facts != nullptr) plugins[id] = facts->version;
  }
  return {{"engine", COSMOS_VERSION},
          {"sdk", std::to_string(COSMOS_SDK_MAJOR) + "." + std::to_string(COSMOS_SDK_MINOR)},
          {"plugins", plugins}};
}

}  // namespace cosmos
