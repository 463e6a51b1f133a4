#include "run/run_report.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "core/clock.h"
#include "core/json_values.h"
#include "core/status.h"
#include "run/lost_connections.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr double kJoulesOfKwh = 3.6e6;

// A text that a plugin or an earlier engine wrote, as the object it should be.
json ObjectOf(const std::string& text, const json& otherwise) {
  json value = TryParseJson(text, kOwnJson);
  return value.is_object() ? value : otherwise;
}

json ArtifactsOf(const StageRecord& stage, const std::vector<ArtifactRecord>& artifacts) {
  json list = json::array();
  for (const ArtifactRecord& artifact : artifacts) {
    if (!AreOfOneAttempt(artifact, stage)) continue;
    list.push_back({{"name", TextOrNull(artifact.name)},
                    {"path", artifact.path},
                    {"size", artifact.size},
                    {"files", artifact.files > 0 ? json(artifact.files) : json()},
                    {"sha256", artifact.sha256}});
  }
  return list;
}

json ContainerOf(const StageRecord& stage, const std::vector<ContainerRecord>& containers) {
  const ContainerRecord* const container = FindAttempt(containers, stage);
  return container == nullptr ? json() : ContainerToJson(*container);
}

json JobOf(const StageRecord& stage, const std::vector<JobRecord>& jobs) {
  const JobRecord* const job = FindAttempt(jobs, stage);
  if (job == nullptr) return json();
  return {{"folder", job->folder},
          {"pid", job->pid},
          {"container", TextOrNull(job->container)},
          {"status", job->status},
          {"exit_status", job->exit_status < 0 ? json() : json(job->exit_status)}};
}

json GpusOf(const StageRecord& stage, const std::vector<GpuUsageRecord>& usages) {
  const auto known = [](auto value, double unit = 1) { return value < 0 ? json() : json(value / unit); };
  json list = json::array();
  for (const GpuUsageRecord& usage : usages) {
    if (!AreOfOneAttempt(usage, stage)) continue;
    list.push_back({{"gpu", usage.gpu},
                    {"uuid", TextOrNull(usage.uuid)},
                    {"name", TextOrNull(usage.name)},
                    {"memory_total", usage.memory_total < 0 ? json() : json(usage.memory_total)},
                    {"peak_memory", usage.peak_memory < 0 ? json() : json(usage.peak_memory)},
                    {"mean_utilization", known(usage.mean_utilization)},
                    {"peak_utilization", known(usage.peak_utilization)},
                    {"energy_kwh", known(usage.energy, kJoulesOfKwh)},
                    {"watched", usage.seconds},
                    {"samples", usage.samples}});
  }
  return list;
}

bool EngineAlive(const RunRecord& run) { return !IsEnd(StatusOf(run.status)) && IsActive(run); }

json HeadOf(const RunRecord& run, bool engine_there) {
  return {{"run_id", run.run_id},
          {"workflow", run.workflow},
          {"workflow_path", TextOrNull(run.workflow_path)},
          {"status", run.status},
          {"engine_alive", engine_there && !IsEnd(StatusOf(run.status))},
          {"failure_kind", TextOrNull(run.failure_kind)},
          {"error_message", TextOrNull(run.error_message)},
          {"log_path", TextOrNull(run.log_path)},
          {"output_dir", TextOrNull(run.output_dir)},
          {"prompt_id", TextOrNull(run.prompt_id)},
          {"prompt_name", TextOrNull(run.prompt_name)},
          {"started_at", TimeOrNull(run.started_at)},
          {"retried_at", TimeOrNull(run.retried_at)},
          {"ended_at", TimeOrNull(run.ended_at)}};
}

}  // namespace

std::vector<RunRecord> AllRuns(RunStore* store, const std::string& status) {
  RunQuery query;
  query.status = status;
  query.limit = 0;
  return store->FindRuns(query);
}

double GpuSeconds(const StageRecord& stage, const std::vector<GpuUsageRecord>& usages) {
  const auto gpus = std::count_if(usages.begin(), usages.end(),
                                  [&](const GpuUsageRecord& usage) { return AreOfOneAttempt(usage, stage); });
  if (stage.started_at == 0) return 0;
  const std::int64_t end = stage.ended_at != 0 ? stage.ended_at : UnixMilliseconds(std::chrono::system_clock::now());
  return static_cast<double>(gpus) * static_cast<double>(end - stage.started_at) / 1000;
}

std::string ReasonOf(const GpuClaimRecord& claim) {
  return claim.asleep ? "waits until its engine is done with another stage (`--jobs`)" : claim.reason;
}

json ContainerToJson(const ContainerRecord& container) {
  return {{"stage", container.stage},
          {"instance", TextOrNull(container.instance)},
          {"attempt", container.attempt},
          {"target", container.target},
          {"engine", container.engine},
          {"sudo", container.sudo},
          {"name", container.name},
          {"id", TextOrNull(container.container_id)},
          {"image", container.image},
          {"status", container.status},
          {"exit_status", container.exit_status < 0 ? json() : json(container.exit_status)},
          {"oom_killed", container.oom_killed},
          {"started_at", TimeOrNull(container.started_at)},
          {"ended_at", TimeOrNull(container.ended_at)}};
}

json QueuedToJson(const std::string& run_id, RunStore* store) {
  json queued = json::array();
  for (const GpuClaimRecord& claim : store->GpuClaims()) {
    if ((!run_id.empty() && claim.run_id != run_id) || !claim.devices.empty()) continue;
    queued.push_back({{"run_id", claim.run_id},
                      {"stage", claim.stage},
                      {"instance", TextOrNull(claim.instance)},
                      {"attempt", claim.attempt},
                      {"target", claim.target},
                      {"gpus", claim.gpus},
                      {"priority", claim.priority},
                      {"reason", TextOrNull(ReasonOf(claim))},
                      {"since", TimeOrNull(claim.requested_at)}});
  }
  return queued;
}

json RunToJson(const RunRecord& run) { return HeadOf(run, EngineAlive(run)); }

json RunToJson(const RunRecord& run, RunStore* store) { return RunToJson(run, store, EngineAlive(run)); }

std::filesystem::path DiagnosisOf(const RunRecord& run) {
  const std::filesystem::path folder = RunPaths(run.output_dir, run.run_id).Diagnostics(run.prompt_id);
  std::error_code error;
  return std::filesystem::exists(folder / "summary.md", error) ? folder : std::filesystem::path();
}

json RunToJson(const RunRecord& run, RunStore* store, bool engine_alive) {
  json report = HeadOf(run, engine_alive);
  report["diagnostics"] = TextOrNull(DiagnosisOf(run).string());
  const std::vector<ArtifactRecord> artifacts = store->ArtifactsOf(run.run_id);
  const std::vector<JobRecord> jobs = store->JobsOf(run.run_id);
  const std::vector<ContainerRecord> containers = store->ContainersOf(run.run_id);
  const std::vector<GpuUsageRecord> usages = store->GpuUsagesOf(run.run_id);
  report["queued"] = QueuedToJson(run.run_id, store);
  report["lost_connections"] = LostConnections(run);
  report["stages"] = json::array();
  for (const StageRecord& stage : store->StagesOf(run.run_id)) {
    report["stages"].push_back({{"stage", stage.stage},
                                {"instance", TextOrNull(stage.instance)},
                                {"attempt", stage.attempt},
                                {"uses", stage.uses},
                                {"status", stage.status},
                                {"failure_kind", TextOrNull(stage.failure_kind)},
                                {"error_message", TextOrNull(stage.error_message)},
                                {"target", stage.target},
                                {"prompt_id", TextOrNull(stage.prompt_id)},
                                {"prompt_name", TextOrNull(stage.prompt_name)},
                                {"operation_id", TextOrNull(stage.operation_id)},
                                {"log_path", TextOrNull(stage.log_path)},
                                {"started_at", TimeOrNull(stage.started_at)},
                                {"ended_at", TimeOrNull(stage.ended_at)},
                                {"outputs", ObjectOf(stage.outputs, json::object())},
                                {"progress", ObjectOf(stage.progress, json())},
                                {"job", JobOf(stage, jobs)},
                                {"container", ContainerOf(stage, containers)},
                                {"gpus", GpusOf(stage, usages)},
                                {"gpu_seconds", GpuSeconds(stage, usages)},
                                {"artifacts", ArtifactsOf(stage, artifacts)}});
  }
  return report;
}

std::string StatusForPeople(const RunRecord& run) {
  return IsEnd(StatusOf(run.status)) || IsActive(run) ? run.status : "interrupted";
}

}  // namespace cosmos
