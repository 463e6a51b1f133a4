#include "plugin/stage_plugin.h"

#include <utility>

#include "core/error.h"
#include "core/json_values.h"
#include "plugin/host_services.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

StageResult Failed(FailureKind kind, std::string message) { return {{kind, std::move(message)}, json::object()}; }

StageResult ResultOf(cosmos_status status, const std::string& text) {
  if (status == COSMOS_CANCELLED) return Failed(FailureKind::kCancelled, "cancelled");
  const json value = TryParseJson(text.empty() ? "{}" : text, kOwnJson);
  if (status == COSMOS_OK) {
    if (value.is_object()) return {{}, value};
    return Failed(FailureKind::kPluginError, "the plugin's outputs are no JSON object: " + text);
  }
  if (status == COSMOS_FAILED && value.is_object()) {
    const FailureKind kind = FailureKindOf(TextIn(value, "kind"));
    return Failed(kind == FailureKind::kNone ? FailureKind::kPluginError : kind,
                  TextIn(value, "message", "the plugin gave no reason"));
  }
  return Failed(FailureKind::kPluginError, text.empty() ? "the plugin gave no reason" : text);
}

json ContextOf(const StageCall& call) {
  json context = ToJson(call.context);
  context["gpus"] = call.gpus;
  context["oom_steps"] = call.oom_steps;
  context["resumed"] = call.resumed;
  return context;
}

}  // namespace

json ToJson(const RunContext& context) {
  return {{"run_id", context.run_id},
          {"workflow", context.workflow},
          {"prompt_name", context.prompt_name},
          {"prompt_id", context.prompt_id},
          {"operation_id", context.operation_id},
          {"stage", context.stage},
          {"instance", context.instance},
          {"attempt", context.attempt}};
}

StagePlugin::StagePlugin(PluginLibrary* library) : entry_(library->Entry()), instance_(nullptr) {
  std::string reason;
  instance_ = entry_.create(SinkInto(&reason));
  if (instance_ == nullptr) {
    throw Error(ErrorCode::kPlugin, "the plugin '" + library->facts().id + "' gives no instance: " + reason);
  }
}

StagePlugin::~StagePlugin() { entry_.destroy(instance_); }

StageResult StagePlugin::Run(TaskHost* host, const StageCall& call) {
  cosmos_task task{host};
  std::string text;
  const std::string context = Dump(ContextOf(call)), parameters = Dump(call.parameters);
  const cosmos_status status = entry_.run(instance_, &task, ToAbi(context), ToAbi(parameters), SinkInto(&text));
  return ResultOf(status, text);
}

json StagePlugin::Preview(TaskHost* host, const StageCall& call) {
  if (entry_.preview == nullptr) return json();
  cosmos_task task{host};
  std::string text;
  const std::string context = Dump(ContextOf(call)), parameters = Dump(call.parameters);
  const cosmos_status status = entry_.preview(instance_, &task, ToAbi(context), ToAbi(parameters), SinkInto(&text));
  const json spec = TryParseJson(text, kOwnJson);
  return status == COSMOS_OK && spec.is_object() && !spec.empty() ? spec : json();
}

json StagePlugin::PlanBatch(TaskHost* host, const std::vector<StageCall>& calls) {
  if (entry_.plan_batch == nullptr) throw Error(ErrorCode::kPlugin, "the plugin makes no batches, though it says so");
  json contexts = json::array(), parameters = json::array();
  for (const StageCall& call : calls) {
    contexts.push_back(ContextOf(call));
    parameters.push_back(call.parameters);
  }
  cosmos_task task{host};
  std::string text;
  const std::string contexts_text = Dump(contexts), parameters_text = Dump(parameters);
  const cosmos_status status =
      entry_.plan_batch(instance_, &task, ToAbi(contexts_text), ToAbi(parameters_text), SinkInto(&text));
  json plan = TryParseJson(text, kOwnJson);
  if (status == COSMOS_FAILED && plan.is_object()) {
    throw Error(ErrorCode::kInvalidInput, TextIn(plan, "message", "the plugin gave no reason"));
  }
  if (status != COSMOS_OK || !plan.is_object() || ListIn(plan, "members").size() != calls.size()) {
    throw Error(ErrorCode::kPlugin, "the plugin cannot plan a batch: " + text);
  }
  return plan;
}

void StagePlugin::OnBatchOutput(TaskHost* host, std::string_view bytes) noexcept {
  if (entry_.on_batch_output == nullptr) return;
  cosmos_task task{host};
  entry_.on_batch_output(instance_, &task, ToAbi(bytes));
}

void StagePlugin::Cancel() noexcept {
  if (entry_.cancel != nullptr) entry_.cancel(instance_);
}

}  // namespace cosmos
