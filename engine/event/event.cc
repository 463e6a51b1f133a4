#include "event/event.h"

#include <utility>

#include "core/json_values.h"

namespace cosmos {
namespace {

using nlohmann::json;

struct TypeNames {
  std::string_view operator()(const RunStarted&) const { return "run_started"; }
  std::string_view operator()(const RunResumed&) const { return "run_resumed"; }
  std::string_view operator()(const RunFinished&) const { return "run_finished"; }
  std::string_view operator()(const StageReady&) const { return "stage_ready"; }
  std::string_view operator()(const StageStarted&) const { return "stage_started"; }
  std::string_view operator()(const StageFinished&) const { return "stage_finished"; }
  std::string_view operator()(const StageFailed&) const { return "stage_failed"; }
  std::string_view operator()(const StageCancelled&) const { return "stage_cancelled"; }
  std::string_view operator()(const StageSkipped&) const { return "stage_skipped"; }
  std::string_view operator()(const StageRetrying&) const { return "stage_retrying"; }
  std::string_view operator()(const StageQueued&) const { return "stage_queued"; }
  std::string_view operator()(const GpusLeased&) const { return "gpus_leased"; }
  std::string_view operator()(const JobSubmitted&) const { return "job_submitted"; }
  std::string_view operator()(const JobAttached&) const { return "job_attached"; }
  std::string_view operator()(const JobEnded&) const { return "job_ended"; }
  std::string_view operator()(const LogAvailable&) const { return "log_available"; }
  std::string_view operator()(const Progress&) const { return "progress"; }
  std::string_view operator()(const GpuSample&) const { return "gpu_sample"; }
  std::string_view operator()(const ArtifactMade&) const { return "artifact_made"; }
  std::string_view operator()(const TransferEnded&) const { return "transfer_ended"; }
  std::string_view operator()(const TargetConnected&) const { return "target_connected"; }
  std::string_view operator()(const TargetLost&) const { return "target_lost"; }
  std::string_view operator()(const TargetReconnected&) const { return "target_reconnected"; }
  std::string_view operator()(const HookFailed&) const { return "hook_failed"; }
  std::string_view operator()(const EventsDropped&) const { return "events_dropped"; }
};

json Of(const Failure& failure);

// Nothing is added to `data` when the facts are not known.
json With(json data, const AttemptFacts& facts) {
  if (facts.started_at == 0) return data;
  json record = {{"uses", facts.uses},
                 {"target", facts.target},
                 {"prompt_id", TextOrNull(facts.prompt_id)},
                 {"prompt_name", TextOrNull(facts.prompt_name)},
                 {"operation_id", TextOrNull(facts.operation_id)},
                 {"started_at", TimeOrNull(facts.started_at)}};
  if (facts.ended_at != 0) {
    record["ended_at"] = TimeOrNull(facts.ended_at);
    record["log_path"] = TextOrNull(facts.log_path);
    record["progress"] = TryParseJson(facts.progress.empty() ? "null" : facts.progress, kOwnJson);
    if (record["progress"].is_discarded()) record["progress"] = nullptr;
  }
  if (facts.failure) record["failure"] = Of(facts.failure);
  data["record"] = std::move(record);
  return data;
}

template <typename Job>
json OfJob(const Job& e) {
  json data = {{"target", e.target}, {"folder", e.folder}, {"pid", e.pid}};
  if (!e.facts.container.is_null()) data["container"] = e.facts.container;
  if (!e.facts.boot_id.empty()) data["boot_id"] = e.facts.boot_id;
  if (e.facts.pid_start_time != 0) data["pid_start_time"] = e.facts.pid_start_time;
  if (!e.facts.members.empty()) data["members"] = e.facts.members;
  return data;
}

json Of(const Failure& failure) { return {{"kind", ToString(failure.kind)}, {"message", failure.message}}; }

struct Data {
  json operator()(const RunStarted& e) const {
    json data = {{"workflow", e.workflow}, {"stages", e.stages}};
    if (e.retried_at != 0) data["retried_at"] = TimeOrNull(e.retried_at);
    return data;
  }
  json operator()(const RunResumed&) const { return json::object(); }
  json operator()(const RunFinished& e) const {
    json data = {{"status", ToString(e.status)}};
    if (e.failure) data["failure"] = Of(e.failure);
    if (e.ended_at != 0) data["ended_at"] = TimeOrNull(e.ended_at);
    if (!e.log_path.empty()) data["log_path"] = e.log_path;
    return data;
  }
  json operator()(const StageReady&) const { return json::object(); }
  json operator()(const StageStarted& e) const { return With({{"uses", e.uses}, {"target", e.target}}, e.facts); }
  json operator()(const StageFinished& e) const { return With({{"outputs", e.outputs}}, e.facts); }
  json operator()(const StageFailed& e) const { return With({{"failure", Of(e.failure)}}, e.facts); }
  json operator()(const StageCancelled& e) const { return With(json::object(), e.facts); }
  json operator()(const StageSkipped& e) const { return With({{"reason", e.reason}}, e.facts); }
  json operator()(const StageRetrying& e) const {
    return {{"failure", Of(e.failure)},
            {"next_attempt", e.next_attempt},
            {"delay", Seconds(e.delay)},
            {"change", e.change}};
  }
  json operator()(const StageQueued& e) const { return {{"target", e.target}, {"gpus", e.gpus}, {"reason", e.reason}}; }
  json operator()(const GpusLeased& e) const {
    return {{"target", e.target}, {"gpus", e.gpus}, {"waited", Seconds(e.waited)}};
  }
  json operator()(const JobSubmitted& e) const { return OfJob(e); }
  json operator()(const JobAttached& e) const { return OfJob(e); }
  json operator()(const JobEnded& e) const {
    json data = {{"exit_status", e.exit_status < 0 ? json() : json(e.exit_status)}};
    if (e.kind != FailureKind::kNone) data["kind"] = ToString(e.kind);
    return data;
  }
  json operator()(const LogAvailable& e) const {
    return {{"path", e.path}, {"offset", e.offset}, {"growing", e.growing}};
  }
  json operator()(const Progress& e) const { return ToJson(e); }
  json operator()(const GpuSample& e) const { return {{"target", e.target}, {"gpus", e.gpus}}; }
  json operator()(const ArtifactMade& e) const {
    json data = {{"name", e.name}, {"path", e.path}, {"size", e.size}, {"sha256", e.sha256}};
    if (e.files > 0) data["files"] = e.files;
    return data;
  }
  json operator()(const TransferEnded& e) const {
    return {{"direction", e.direction},
            {"target", e.target},
            {"files", e.files},
            {"bytes", e.bytes},
            {"seconds", Seconds(e.duration)}};
  }
  json operator()(const TargetConnected& e) const { return {{"target", e.target}}; }
  json operator()(const TargetLost& e) const { return {{"target", e.target}, {"reason", e.reason}}; }
  json operator()(const TargetReconnected& e) const { return {{"target", e.target}}; }
  json operator()(const HookFailed& e) const {
    return {{"hook", e.hook}, {"message", e.message}, {"disabled", e.disabled}};
  }
  json operator()(const EventsDropped& e) const { return {{"subscriber", e.subscriber}, {"count", e.count}}; }
};

}  // namespace

std::string_view TypeName(const EventPayload& payload) { return std::visit(TypeNames(), payload); }

bool IsLifecycle(const EventPayload& payload) {
  const auto* log = std::get_if<LogAvailable>(&payload);
  return !std::holds_alternative<Progress>(payload) && !std::holds_alternative<GpuSample>(payload) &&
         (log == nullptr || !log->growing);
}

json ToJson(const Progress& progress) {
  return {{"done", progress.done},
          {"total", progress.total > 0 ? json(progress.total) : json()},
          {"phase", progress.phase},
          {"eta", progress.eta_seconds < 0 ? json() : json(progress.eta_seconds)}};
}

json ToJson(const Event& event) {
  json value = {{"v", 1},
                {"seq", event.seq},
                {"run_id", event.context.run_id},
                {"time", FormatTime(event.time)},
                {"monotonic", Seconds(event.monotonic.time_since_epoch())},
                {"type", TypeName(event.payload)},
                {"data", std::visit(Data(), event.payload)}};
  if (!event.context.stage.empty()) {
    value["stage"] = event.context.stage;
    value["instance"] = event.context.instance;
    value["attempt"] = event.context.attempt;
  }
  return value;
}

}  // namespace cosmos
