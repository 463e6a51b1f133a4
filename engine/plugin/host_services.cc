#include "plugin/host_services.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/json_values.h"
#include "target/target_error.h"

namespace cosmos {
namespace {

void Put(cosmos_sink sink, std::string_view text) {
  if (sink.write != nullptr) sink.write(sink.self, ToAbi(text));
}

// Runs a service's work, whose text goes to `result`; an exception's text goes to `error` instead.
template <typename Work>
cosmos_status Serve(cosmos_sink result, cosmos_sink error, Work work) noexcept {
  try {
    Put(result, work());
    return COSMOS_OK;
  } catch (const std::exception& failure) {
    Put(error, failure.what());
  } catch (...) {
    Put(error, "an exception of unknown type");
  }
  return COSMOS_ERROR;
}

// The same for a stage: what is more than an error of the call crosses as a failure of its own kind, so that a full
// disk stays one behind the plugin as well.
template <typename Work>
cosmos_status ServeStage(cosmos_sink result, cosmos_sink error, Work work) noexcept {
  bool has_kind = false;
  const cosmos_status served = Serve(result, error, [&]() -> std::string {
    try {
      return work();
    } catch (const std::exception& failure) {
      const FailureKind kind = KindOf(failure);
      if (kind == FailureKind::kPluginError) throw;
      has_kind = true;
      throw std::runtime_error(nlohmann::json{{"kind", ToString(kind)}, {"message", failure.what()}}.dump(
          -1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
  });
  return has_kind ? COSMOS_FAILED : served;
}

LogLevel LevelOf(int32_t level) {
  return static_cast<LogLevel>(std::clamp<int32_t>(level, COSMOS_LOG_DEBUG, COSMOS_LOG_ERROR));
}

void Log(cosmos_task* task, int32_t level, cosmos_str text) noexcept {
  try {
    task->host->Log(LevelOf(level), FromAbi(text));
  } catch (...) {  // a line that cannot be written changes nothing
  }
}

void ReportProgress(cosmos_task* task, double done, double total, cosmos_str phase) noexcept {
  try {
    task->host->Progress(done, total, FromAbi(phase), std::nullopt);
  } catch (...) {  // nor does progress that cannot be shown
  }
}

void ReportProgressWithEta(cosmos_task* task, double done, double total, cosmos_str phase, double eta) noexcept {
  try {
    task->host->Progress(done, total, FromAbi(phase), eta);
  } catch (...) {  // as above
  }
}

cosmos_status JobInput(cosmos_task* task, cosmos_str path, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->Input(std::string(FromAbi(path))); });
}

cosmos_status JobOutputFolder(cosmos_task* task, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->OutputFolder(); });
}

cosmos_status RunJob(cosmos_task* task, cosmos_str spec, void (*on_output)(void* self, cosmos_str bytes), void* self,
                     cosmos_sink result) noexcept {
  cosmos_status status = COSMOS_OK;
  const cosmos_status served = ServeStage(result, result, [&] {
    std::function<void(std::string_view)> listener;
    if (on_output != nullptr) listener = [=](std::string_view bytes) { on_output(self, ToAbi(bytes)); };
    const JobResult job = task->host->RunJob(ParseJson(FromAbi(spec), kOwnJson), listener);
    if (!job.failure) return nlohmann::json{{"outputs", job.outputs}}.dump();
    status = job.failure.kind == FailureKind::kCancelled ? COSMOS_CANCELLED : COSMOS_FAILED;
    return nlohmann::json{{"kind", ToString(job.failure.kind)}, {"message", job.failure.message}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
  return served == COSMOS_OK ? status : served;
}

cosmos_status FilesFolder(cosmos_task* task, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->Folder(); });
}

cosmos_status AddArtifact(cosmos_task* task, cosmos_str path, cosmos_sink error) noexcept {
  return ServeStage({nullptr, nullptr}, error, [&] {
    task->host->AddArtifact(std::string(FromAbi(path)));
    return "";
  });
}

cosmos_status PutPrompt(cosmos_task* task, cosmos_str prompt, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->PutPrompt(ParseJson(FromAbi(prompt), kOwnJson)); });
}

cosmos_status Containers(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->Containers(std::string(FromAbi(run_id))).dump(); });
}

// An object that was passed as text.
nlohmann::json ObjectOf(cosmos_str text, const char* what) {
  nlohmann::json object = TryParseJson(FromAbi(text), kOwnJson);
  if (!object.is_object()) throw std::invalid_argument(std::string(what) + " is no JSON object");
  return object;
}

cosmos_status KeepTimings(cosmos_task* task, cosmos_str key, cosmos_str timings, cosmos_sink error) noexcept {
  return ServeStage({nullptr, nullptr}, error, [&] {
    task->host->KeepTimings(ObjectOf(key, "the key of timings"), ObjectOf(timings, "what was measured"));
    return "";
  });
}

cosmos_status FindTimings(cosmos_task* task, cosmos_str key, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->FindTimings(ObjectOf(key, "the key of timings")).dump(); });
}

cosmos_status RunOnTarget(cosmos_task* task, cosmos_str target, cosmos_str script, int64_t milliseconds,
                          cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] {
    const nlohmann::json output = task->host->Inspect().RunOn(
        std::string(FromAbi(target)), std::string(FromAbi(script)), std::chrono::milliseconds(milliseconds));
    return output.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
}

cosmos_status Commands(cosmos_task* task, cosmos_str run_id, cosmos_str target, int64_t limit, cosmos_sink result,
                       cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] {
    const auto most = static_cast<std::size_t>(std::max<int64_t>(limit, 0));
    return task->host->Inspect().Commands(std::string(FromAbi(run_id)), std::string(FromAbi(target)), most).dump();
  });
}

cosmos_status FactsOfRun(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] {
    return task->host->Inspect()
        .Facts(std::string(FromAbi(run_id)))
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
}

cosmos_status Redact(cosmos_task* task, cosmos_str text, cosmos_sink result, cosmos_sink error) noexcept {
  return ServeStage(result, error, [&] { return task->host->Inspect().Redact(FromAbi(text)); });
}

void LogOfHook(cosmos_run* run, int32_t level, cosmos_str text) noexcept {
  run->logger->Log(LevelOf(level), run->context, FromAbi(text));
}

std::shared_ptr<JobLog> FindLog(const cosmos_run* run, cosmos_str job) {
  return run->logs->Find(std::string(FromAbi(job)));
}

int64_t LogPosition(cosmos_run* run, cosmos_str job) noexcept {
  try {
    const auto log = FindLog(run, job);
    return log == nullptr ? -1 : log->Position();
  } catch (...) {
    return -1;
  }
}

cosmos_status ReadLog(cosmos_run* run, cosmos_str job, int64_t position, size_t limit, cosmos_sink bytes,
                      cosmos_sink error) noexcept {
  cosmos_status status = COSMOS_OK;
  const cosmos_status served = Serve(bytes, error, [&]() -> std::string {
    const auto log = FindLog(run, job);
    std::optional<std::string> piece = log == nullptr ? std::nullopt : log->Read(position, limit);
    if (!piece) status = COSMOS_CANCELLED;
    return piece ? std::move(*piece) : "";
  });
  return served == COSMOS_OK ? status : served;
}

cosmos_status FollowLog(cosmos_run* run, cosmos_str job, int64_t position,
                        int32_t (*on_bytes)(void* self, int64_t position, cosmos_str bytes), void* self,
                        cosmos_sink error) noexcept {
  cosmos_status status = COSMOS_OK;
  const cosmos_status served = Serve({nullptr, nullptr}, error, [&] {
    const auto log = FindLog(run, job);
    const FollowEnd end =
        log == nullptr ? FollowEnd::kStopped : log->Follow(position, [&](std::int64_t at, std::string_view bytes) {
          return on_bytes(self, at, ToAbi(bytes)) != 0;
        });
    if (end == FollowEnd::kStopped) status = COSMOS_CANCELLED;
    if (end == FollowEnd::kBusy) status = COSMOS_FAILED;
    return "";
  });
  return served == COSMOS_OK ? status : served;
}

cosmos_status AppendToLog(cosmos_run* run, cosmos_str job, int64_t position, cosmos_str bytes,
                          cosmos_sink error) noexcept {
  return Serve({nullptr, nullptr}, error, [&] {
    if (const auto log = FindLog(run, job)) log->Append(position, FromAbi(bytes));
    return "";
  });
}

int32_t WaitForLog(cosmos_run* run, cosmos_str job, int64_t milliseconds) noexcept {
  try {
    const auto log = FindLog(run, job);
    return log == nullptr || log->WaitUntilClosed(std::chrono::milliseconds(milliseconds)) ? 1 : 0;
  } catch (...) {
    return 1;
  }
}

cosmos_status ReadGpus(cosmos_run* run, cosmos_str target, int64_t longest_age, int32_t details, cosmos_sink reading,
                       cosmos_sink error) noexcept {
  return Serve(reading, error, [&] {
    return run->gpus->ReadGpus(std::string(FromAbi(target)), std::chrono::milliseconds(longest_age), details != 0)
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
}

cosmos_status KeepGpuSample(cosmos_run* run, cosmos_str job, cosmos_str target, cosmos_str gpus,
                            cosmos_sink error) noexcept {
  return Serve({nullptr, nullptr}, error, [&] {
    run->gpus->KeepGpuSample(std::string(FromAbi(job)), std::string(FromAbi(target)),
                             ParseJson(FromAbi(gpus), kOwnJson));
    return "";
  });
}

constexpr cosmos_log_1 kLog = {sizeof(cosmos_log_1), Log};
constexpr cosmos_progress_1 kProgress = {sizeof(cosmos_progress_1), ReportProgress, ReportProgressWithEta};
constexpr cosmos_job_1 kJob = {sizeof(cosmos_job_1), JobInput, JobOutputFolder, RunJob};
constexpr cosmos_files_1 kFiles = {sizeof(cosmos_files_1), FilesFolder, AddArtifact, Redact};
constexpr cosmos_store_1 kStore = {sizeof(cosmos_store_1), PutPrompt, FactsOfRun};
constexpr cosmos_target_1 kTarget = {sizeof(cosmos_target_1), Containers, RunOnTarget, Commands};
constexpr cosmos_history_1 kHistory = {sizeof(cosmos_history_1), KeepTimings, FindTimings};
constexpr cosmos_gpu_1 kGpu = {sizeof(cosmos_gpu_1), ReadGpus, KeepGpuSample};
constexpr cosmos_run_1 kRun = {sizeof(cosmos_run_1), LogOfHook};
constexpr cosmos_job_log_1 kJobLog = {
    sizeof(cosmos_job_log_1), LogPosition, ReadLog, FollowLog, AppendToLog, WaitForLog};

struct Service {
  std::string_view id;
  const void* functions;
};
constexpr Service kServices[] = {
    {"cosmos.log/1", &kLog},         {"cosmos.progress/1", &kProgress}, {"cosmos.job/1", &kJob},
    {"cosmos.files/1", &kFiles},     {"cosmos.store/1", &kStore},       {"cosmos.target/1", &kTarget},
    {"cosmos.history/1", &kHistory}, {"cosmos.run/1", &kRun},           {"cosmos.job_log/1", &kJobLog},
    {"cosmos.gpu/1", &kGpu},
};

const void* FindService(const cosmos_host*, cosmos_str id) noexcept {
  for (const Service& service : kServices) {
    if (service.id == FromAbi(id)) return service.functions;
  }
  return nullptr;
}

constexpr cosmos_host kHost = {sizeof(cosmos_host), COSMOS_SDK_MAJOR, COSMOS_SDK_MINOR, FindService};

}  // namespace

const cosmos_host* Host() { return &kHost; }

std::vector<std::string> ServiceIds() {
  std::vector<std::string> ids;
  for (const Service& service : kServices) ids.emplace_back(service.id);
  return ids;
}

cosmos_sink SinkInto(std::string* text) {
  return {text, [](void* self, cosmos_str piece) { static_cast<std::string*>(self)->assign(piece.data, piece.size); }};
}

}  // namespace cosmos
