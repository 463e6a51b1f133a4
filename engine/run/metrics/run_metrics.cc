#include "run/metrics/run_metrics.h"

#include <algorithm>

#include "core/json_values.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Type = MetricsText::Type;

struct GpuFigure {
  const char* key;  // as GpuFacts has it
  const char* name;
  const char* help;
};
constexpr GpuFigure kGpuFigures[] = {
    {"utilization", "cosmos_run_gpu_utilization_ratio", "How busy a GPU of the run's stages is."},
    {"memory_used", "cosmos_run_gpu_memory_used_bytes", "Memory of the GPU that is in use."},
    {"memory_total", "cosmos_run_gpu_memory_bytes", "Memory of the GPU."},
    {"temperature", "cosmos_run_gpu_temperature_celsius", "How warm the GPU is."},
    {"power", "cosmos_run_gpu_power_watts", "What the GPU takes."}};

// Null when the driver does not tell it.
std::string NameOf(const json& gpu) {
  const auto name = gpu.find("name");
  return name == gpu.end() || !name->is_string() ? "" : name->get<std::string>();
}

double Count(std::size_t number) { return static_cast<double>(number); }

}  // namespace

RunMetrics::RunMetrics(std::string run_id, std::string workflow, std::set<std::string> stages,
                       std::set<std::string> ended)
    : run_id_(std::move(run_id)),
      workflow_(std::move(workflow)),
      stages_(std::move(stages)),
      ended_(std::move(ended)) {}

void RunMetrics::OnEvent(const Event& event) {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  if (std::holds_alternative<RunFinished>(event.payload)) {
    finished_ = true;
    at_work_.clear();
    queued_.clear();
    samples_.clear();
  }
  NoteTarget(event.payload);
  if (!event.context.stage.empty()) Note(event.context.key(), event.payload);
}

void RunMetrics::Note(const std::string& key, const EventPayload& payload) {
  if (std::holds_alternative<StageStarted>(payload) || std::holds_alternative<JobAttached>(payload)) {
    queued_.erase(key);
    at_work_.try_emplace(key, -1);
  } else if (const auto* progress = std::get_if<Progress>(&payload)) {
    const auto stage = at_work_.find(key);
    if (stage != at_work_.end()) {
      stage->second = progress->total > 0 ? std::clamp(progress->done / progress->total, 0.0, 1.0) : -1;
    }
  } else if (std::holds_alternative<StageFinished>(payload) || std::holds_alternative<StageFailed>(payload) ||
             std::holds_alternative<StageCancelled>(payload) || std::holds_alternative<StageSkipped>(payload)) {
    End(key);
  } else if (std::holds_alternative<StageRetrying>(payload)) {
    ++retries_;
    ended_.erase(key);
  } else if (std::holds_alternative<StageQueued>(payload)) {
    queued_.insert(key);
  } else if (const auto* leased = std::get_if<GpusLeased>(&payload)) {
    queued_.erase(key);
    ++leases_;
    waited_ += Seconds(leased->waited);
  } else if (const auto* sample = std::get_if<GpuSample>(&payload)) {
    if (at_work_.contains(key)) samples_[key] = *sample;
  } else if (const auto* moved = std::get_if<TransferEnded>(&payload)) {
    Transferred& sum = transferred_[{moved->target, moved->direction}];
    sum.bytes += moved->bytes;
    sum.seconds += Seconds(moved->duration);
  }
}

void RunMetrics::End(const std::string& key) {
  queued_.erase(key);
  at_work_.erase(key);
  samples_.erase(key);
  if (stages_.contains(key)) ended_.insert(key);
}

void RunMetrics::NoteTarget(const EventPayload& payload) {
  if (const auto* connected = std::get_if<TargetConnected>(&payload)) {
    targets_[connected->target].connected = true;
  } else if (const auto* lost = std::get_if<TargetLost>(&payload)) {
    targets_[lost->target].connected = false;
  } else if (const auto* back = std::get_if<TargetReconnected>(&payload)) {
    targets_[back->target].connected = true;
    ++targets_[back->target].reconnections;
  }
}

double RunMetrics::Fraction() const {
  double done = Count(ended_.size());
  for (const auto& [key, fraction] : at_work_) done += stages_.contains(key) ? std::max(fraction, 0.0) : 0;
  return stages_.empty() ? 1 : std::min(done / Count(stages_.size()), 1.0);
}

MetricsText::Labels RunMetrics::With(MetricsText::Labels more) const {
  MetricsText::Labels labels = {{"run_id", run_id_}, {"workflow", workflow_}};
  std::move(more.begin(), more.end(), std::back_inserter(labels));
  return labels;
}

void RunMetrics::AddTo(MetricsText* text) const {
  const std::lock_guard lock(mutex_);
  if (!begun_) return;
  text->Begin("cosmos_run_active", Type::kGauge, "Whether an engine carries the run out: 1, or 0 when it has ended.");
  text->Add(With({}), finished_ ? 0 : 1);
  AddStages(text);
  AddTargets(text);
  AddGpus(text);
}

void RunMetrics::AddStages(MetricsText* text) const {
  text->Begin("cosmos_run_progress_ratio", Type::kGauge, "How far the run is; stages count alike.");
  text->Add(With({}), Fraction());
  text->Begin("cosmos_run_stages", Type::kGauge, "Stage instances of the run.");
  text->Add(With({}), Count(stages_.size()));
  text->Begin("cosmos_run_stages_ended", Type::kGauge, "Stage instances that have ended, however they did.");
  text->Add(With({}), Count(ended_.size()));
  text->Begin("cosmos_run_stages_active", Type::kGauge, "Stage instances at work.");
  text->Add(With({}), Count(at_work_.size()));
  text->Begin("cosmos_run_stages_queued", Type::kGauge, "Stage instances that wait for GPUs.");
  text->Add(With({}), Count(queued_.size()));
  text->Begin("cosmos_run_stage_progress_ratio", Type::kGauge, "How far a stage instance at work is, where it tells.");
  for (const auto& [key, fraction] : at_work_) {
    if (fraction >= 0) text->Add(With({{"stage", key}}), fraction);
  }
  text->Begin("cosmos_run_retries_total", Type::kCounter, "Stages that were tried again after a failure.");
  text->Add(With({}), retries_);
  text->Begin("cosmos_run_gpu_leases_total", Type::kCounter, "Times that a stage got the GPUs that it asked for.");
  text->Add(With({}), leases_);
  text->Begin("cosmos_run_queue_seconds_total", Type::kCounter, "How long they had waited for them, together.");
  text->Add(With({}), waited_);
}

void RunMetrics::AddTargets(MetricsText* text) const {
  text->Begin("cosmos_run_target_connected", Type::kGauge, "Whether there is a connection to the target.");
  for (const auto& [name, target] : targets_) text->Add(With({{"target", name}}), target.connected ? 1 : 0);
  text->Begin("cosmos_run_reconnections_total", Type::kCounter, "Connections to the target that were made again.");
  for (const auto& [name, target] : targets_) text->Add(With({{"target", name}}), target.reconnections);
  const auto with = [&](const std::pair<std::string, std::string>& key) {
    return With({{"target", key.first}, {"direction", key.second}});
  };
  text->Begin("cosmos_run_transfer_bytes_total", Type::kCounter, "Bytes of inputs and outputs that were moved.");
  for (const auto& [key, sum] : transferred_) text->Add(with(key), static_cast<double>(sum.bytes));
  text->Begin("cosmos_run_transfer_seconds_total", Type::kCounter, "How long it took to move them.");
  for (const auto& [key, sum] : transferred_) text->Add(with(key), sum.seconds);
}

// Stages may share a GPU, and it is told once.
void RunMetrics::AddGpus(MetricsText* text) const {
  std::map<std::pair<std::string, int>, json> gpus;  // by target and number
  for (const auto& [key, sample] : samples_) {
    for (const json& gpu : sample.gpus) {
      if (gpu.is_object()) gpus[{sample.target, IntIn(gpu, "index", 0)}] = gpu;
    }
  }
  for (const GpuFigure& figure : kGpuFigures) {
    text->Begin(figure.name, Type::kGauge, figure.help);
    for (const auto& [place, gpu] : gpus) {
      if (!gpu.contains(figure.key) || !gpu[figure.key].is_number()) continue;
      text->Add(With({{"target", place.first}, {"gpu", std::to_string(place.second)}, {"name", NameOf(gpu)}}),
                gpu[figure.key].get<double>());
    }
  }
}

}  // namespace cosmos
