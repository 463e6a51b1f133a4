#include "run/diagnosis/diagnosis.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/ids.h"
#include "core/json_values.h"
#include "plugin/stage_plugin.h"
#include "run/run_paths.h"
#include "run/run_report.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// Serves the plugin beside the run: it may look, and write below the folder.
class DiagnosisHost final : public TaskHost {
 public:
  DiagnosisHost(RunContext context, fs::path folder, const InspectionSources* sources, Logger* logger,
                const CancelToken* cancel)
      : context_(std::move(context)),
        folder_(std::move(folder)),
        sources_(*sources),
        logger_(*logger),
        inspection_(sources, cancel) {}

  void Log(LogLevel level, std::string_view text) override { logger_.Log(level, context_, sources_.masker.Mask(text)); }
  void Progress(double, double, std::string_view, std::optional<double>) override {}
  std::string Input(const std::string&) override { Refuse(); }
  std::string OutputFolder() override { Refuse(); }
  JobResult RunJob(const json&, const std::function<void(std::string_view)>&) override { Refuse(); }
  std::string Folder() override {
    MakePrivateFolder(folder_);
    return folder_;
  }
  void AddArtifact(const std::string&) override {}  // the run's record stays as it is
  std::string PutPrompt(const json&) override { Refuse(); }
  json Containers(const std::string& run_id) override {
    json containers = json::array();
    sources_.read([&](RunStore& store) {
      for (const ContainerRecord& record : store.ContainersOf(run_id)) containers.push_back(ContainerToJson(record));
    });
    return containers;
  }
  void KeepTimings(const json&, const json&) override { Refuse(); }
  json FindTimings(const json&) override { Refuse(); }
  Inspection& Inspect() override { return inspection_; }

 private:
  [[noreturn]] static void Refuse() { throw Error(ErrorCode::kPlugin, "a diagnosis changes nothing of its run"); }

  const RunContext context_;
  const fs::path folder_;
  const InspectionSources& sources_;
  Logger& logger_;
  RunInspection inspection_;
};

RunContext ContextOf(const RunRecord& run) {
  RunContext context;
  context.run_id = run.run_id;
  context.workflow = run.workflow;
  context.prompt_name = run.prompt_name;
  context.prompt_id = run.prompt_id;
  context.operation_id = NewOperationId();
  context.stage = kDiagnosticsPlugin;
  return context;
}

json ItemsOf(const fs::path& folder) {
  const json manifest = TryParseJson(ReadOwnFile(folder / "manifest.json"), kOwnJson);
  return ListIn(manifest, "items");
}

}  // namespace

Diagnosis Diagnose(const RunRecord& run, const InspectionSources& sources, Logger* logger, const CancelToken& cancel) {
  Diagnosis diagnosis;
  diagnosis.folder = RunPaths(run.output_dir, run.run_id).Diagnostics(run.prompt_id);
  try {
    const RunContext context = ContextOf(run);
    DiagnosisHost host(context, diagnosis.folder, &sources, logger, &cancel);
    PluginLibrary& library = sources.plugins->Get(kDiagnosticsPlugin);
    const json parameters = library.Checker().WithDefaults(json::object(), Texts::kPlain);
    const StageResult result = StagePlugin(&library).Run(&host, {context, parameters, 0, {}, false});
    diagnosis.problem = result.failure.message;
    if (!result.failure) {
      diagnosis.summary = diagnosis.folder / "summary.md";
      diagnosis.items = ItemsOf(diagnosis.folder);
    }
  } catch (const std::exception& error) {
    diagnosis.problem = error.what();
  }
  return diagnosis;
}

bool IsToBeDiagnosed(const Plan& plan, const Catalogue& plugins) {
  const auto diagnoses = [](const StageInstance& handler) { return handler.uses == kDiagnosticsPlugin; };
  return plan.diagnostics && std::none_of(plan.on_failure.begin(), plan.on_failure.end(), diagnoses) &&
         plugins.Find(kDiagnosticsPlugin) != nullptr;
}

}  // namespace cosmos
