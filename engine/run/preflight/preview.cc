#include "run/preflight/preview.h"

#include <filesystem>
#include <utility>

#include "core/error.h"
#include "plugin/stage_plugin.h"
#include "run/input_files.h"
#include "run/retry_policy.h"
#include "run/targets/target_paths.h"
#include "target/ssh/remote_scripts.h"
#include "workflow/expression.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// Answers a plugin that only says what it would do.
class PreviewHost final : public TaskHost {
 public:
  // `workdir` is the folder of a target that is another machine, empty for this one.
  PreviewHost(const RunPaths& paths, const RunContext& context, std::string workdir)
      : paths_(paths), context_(context), workdir_(std::move(workdir)) {}

  void Log(LogLevel, std::string_view) override {}
  void Progress(double, double, std::string_view, std::optional<double>) override {}
  std::string Input(const std::string& local_path) override {
    // An expression names a file that there is not yet.
    if (local_path.find("${{") != local_path.npos) return local_path;
    inputs_.push_back(fs::absolute(local_path).string());
    if (workdir_.empty()) return fs::absolute(local_path);
    return TargetPaths(workdir_).Input("SHA256", NameOfInput(local_path));
  }
  std::string OutputFolder() override {
    return (workdir_.empty() ? paths_.JobFolder(context_).string() : TargetPaths(workdir_).JobFolder(context_)) +
           "/out";
  }
  JobResult RunJob(const json&, const std::function<void(std::string_view)>&) override { Refuse(); }
  std::string Folder() override { Refuse(); }
  void AddArtifact(const std::string&) override { Refuse(); }
  std::string PutPrompt(const json&) override { Refuse(); }
  json Containers(const std::string&) override { Refuse(); }
  void KeepTimings(const json&, const json&) override { Refuse(); }
  json FindTimings(const json&) override { Refuse(); }

  const json& inputs() const { return inputs_; }

 private:
  [[noreturn]] static void Refuse() { throw Error(ErrorCode::kPlugin, "a preview executes nothing"); }

  const RunPaths& paths_;
  const RunContext& context_;
  const std::string workdir_;
  json inputs_ = json::array();
};

// Knows nothing: only texts without expressions are resolved with it.
class NoScope final : public Scope {
 public:
  std::optional<json> Find(const std::vector<std::string>&) const override { return std::nullopt; }
};

// What is known becomes its value, what the run brings stays as its expression.
json Known(const json& value) {
  if (value.is_structured()) {
    json known = value;
    for (auto& element : known) element = Known(element);
    return known;
  }
  return HasExpressions(value) ? value : Resolve(value, NoScope());
}

RunContext ContextOf(const Plan& plan, const StageInstance& instance) {
  RunContext context;
  context.run_id = "RUN_ID";
  context.operation_id = "OPERATION_ID";
  context.workflow = plan.name;
  context.prompt_name = instance.prompt_name;
  context.stage = instance.stage;
  context.instance = instance.instance;
  return context;
}

}  // namespace

json Preview(const Plan& plan, const StageInstance& instance, const Catalogue& plugins, const RunPaths& paths) {
  const RunContext context = ContextOf(plan, instance);
  PluginLibrary& library = plugins.Get(instance.uses);
  const json parameters = Known(library.Checker().WithDefaults(instance.with, Texts::kTemplates));
  const json target = plan.targets.at(instance.target);
  PreviewHost host(paths, context, target.contains("ssh") ? target.value("workdir", kDefaultWorkdir) : "");
  const json job = StagePlugin(&library).Preview(&host, {context, parameters, instance.gpus, {}, false});
  json needs = json::array();
  for (const std::size_t need : instance.needs) needs.push_back(plan.instances[need].key());
  json preview = {{"stage", instance.stage},
                  {"instance", instance.instance},
                  {"uses", instance.uses},
                  {"target", instance.target},
                  {"needs", needs},
                  {"prompt_name", instance.prompt_name},
                  {"with", parameters},
                  {"env", Known(instance.env)},
                  {"log_path", paths.StageLog(library.facts(), context).string()},
                  {"job", job},
                  {"inputs", host.inputs()}};
  if (!instance.container.is_null()) preview["container"] = instance.container;
  if (!instance.when.empty()) preview["when"] = instance.when;
  if (instance.timeout) preview["timeout"] = Seconds(*instance.timeout);
  if (instance.retry.attempts > 1) {
    preview["retry"] = {{"attempts", instance.retry.attempts}, {"backoff", Seconds(instance.retry.backoff)}};
  }
  if (!instance.retry.on_oom.empty()) {
    preview["on_oom"] = LadderOf(instance, static_cast<int>(instance.retry.on_oom.size())).steps;
  }
  if (instance.batch >= 0) {
    json members = json::array();
    for (const StageInstance& other : plan.instances) {
      if (other.batch == instance.batch) members.push_back(other.key());
    }
    preview["batch"] = members;
  }
  if (!instance.batch_note.empty()) preview["batch_note"] = instance.batch_note;
  if (instance.stall_timeout) preview["stall_timeout"] = Seconds(*instance.stall_timeout);
  return preview;
}

}  // namespace cosmos
