#include "run/stage_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/files.h"
#include "core/ids.h"
#include "core/json_values.h"
#include "core/sha256.h"
#include "core/text.h"
#include "job/job_script.h"
#include "run/gpu/gpu_samples.h"
#include "run/history_key.h"
#include "run/input_files.h"
#include "run/mask_json.h"
#include "run/run_report.h"
#include "run/targets/target_paths.h"
#include "store/attempt.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr auto kProgressInterval = milliseconds(100);
constexpr auto kKeepInterval = std::chrono::seconds(2);  // between two records of the progress
constexpr int kTimings = 5;                              // of earlier jobs that a plugin gets
constexpr auto kGrace = std::chrono::seconds(10);
constexpr std::size_t kMostLines = 1 << 20;  // bytes of a plugin's own lines that are held for its log

std::string_view Word(LogLevel level) {
  constexpr std::string_view kWords[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
  return kWords[static_cast<int>(level)];
}

std::vector<int> NumbersOf(const std::vector<LeasedGpu>& gpus) {
  std::vector<int> numbers;
  for (const LeasedGpu& gpu : gpus) numbers.push_back(gpu.index);
  return numbers;
}

// Those that `frames` of an output or an input says; none when it says nothing.
FrameSet FramesIn(const std::string& name, const json& value) {
  const std::string frames = value.value("frames", "");
  try {
    return frames.empty() ? FrameSet() : FrameSet::Parse(frames);
  } catch (const Error& error) {
    throw Error(error.code(), "'" + name + "': " + error.message(), error.hint());
  }
}

// Nothing for what is one file.
std::optional<OutputGroup> GroupOf(const std::string& name, const std::string& kind, const json& output) {
  constexpr std::pair<const char*, FileGroup::Kind> kKinds[] = {{"folder", FileGroup::Kind::kFolder},
                                                                {"files", FileGroup::Kind::kWildcards},
                                                                {"frames", FileGroup::Kind::kFrames}};
  for (const auto& [word, group] : kKinds) {
    if (kind == word) return OutputGroup{group, FramesIn(name, output), output.value("gaps", false)};
  }
  if (!FramesIn(name, output).empty()) {
    throw Error(ErrorCode::kInvalidInput, "the output '" + name + "' has frames, but is one file",
                "expected a path with a place for the frame number, as in frames/beauty.####.exr");
  }
  return std::nullopt;
}

}  // namespace

std::string KeepPrompt(StoreWriter* store, Clock* clock, const Masker& masker, const json& prompt) {
  PromptRecord record;
  record.text = masker.Mask(TextIn(prompt, "text"));
  record.negative_prompt = masker.Mask(TextIn(prompt, "negative_prompt"));
  record.parent_id = TextIn(prompt, "parent");
  record.prompt_id = PromptIdOf(json{{"text", record.text}, {"negative_prompt", record.negative_prompt}}.dump(
      -1, ' ', false, json::error_handler_t::replace));
  record.created_at = std::chrono::duration_cast<milliseconds>(clock->Wall().time_since_epoch()).count();
  store->Write([record](RunStore& run_store) { run_store.PutPrompt(record); });
  return record.prompt_id;
}

StageTask::StageTask(const RunServices* services, Order order, const CancelToken* cancel)
    : services_(*services),
      order_(std::move(order)),
      cancel_(*cancel),
      target_(*services->targets->at(order_.instance->target)),
      inspection_(services->inspection, cancel) {}

void StageTask::Log(LogLevel level, std::string_view text) {
  services_.logger->Log(level, order_.context, text);
  if (level == LogLevel::kDebug) return;
  const std::string prefix = fmt::format("{} {} {} {}] ", FormatTime(services_.clock->Wall()), Word(level),
                                         order_.context.run_id, order_.context.key());
  const std::lock_guard lock(mutex_);
  if (lines_.size() > kMostLines) return;
  for (const std::string& line : SplitLines(services_.masker->Mask(text))) lines_ += prefix + line + "\n";
}

void StageTask::Progress(double done, double total, std::string_view phase, std::optional<double> eta_seconds) {
  const SteadyTime now = services_.clock->Steady();
  cosmos::Progress progress{done, std::max(total, 0.0), services_.masker->Mask(phase), eta_seconds.value_or(-1)};
  {
    const std::lock_guard lock(mutex_);
    if (progress_begin_ == SteadyTime() || phase != phase_) progress_begin_ = now;  // a phase tells nothing of the next
    phase_ = phase;
    if (!eta_seconds && total > 0 && done > 0) {
      progress.eta_seconds = Seconds(now - progress_begin_) * (total - done) / done;
    }
    progress_ = ToJson(progress).dump(-1, ' ', false, json::error_handler_t::replace);
    const bool last = total > 0 && done >= total;
    if (!last && last_progress_ != SteadyTime() && now - last_progress_ < kProgressInterval) return;
    last_progress_ = now;
  }
  services_.bus->Publish(order_.context, progress);
}

void StageTask::KeepProgress(SteadyTime now) {
  StageRecord record;
  {
    const std::lock_guard lock(mutex_);
    if (progress_ == kept_ || (last_kept_ != SteadyTime() && now - last_kept_ < kKeepInterval)) return;
    record.progress = kept_ = progress_;
    last_kept_ = now;
  }
  SetAttempt(order_.context, &record);
  services_.store->Write([record](RunStore& store) { store.SetStageProgress(record); });
}

std::string StageTask::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

const std::string& StageTask::HistoryKey(const json& key) {
  std::string& known = history_keys_[key];
  if (known.empty()) {
    const std::string gpu = order_.leased.empty() ? "" : order_.leased.front().name;
    known = cosmos::HistoryKey(MaskJson(key, *services_.masker), order_.instance->uses, order_.gpus, gpu,
                               order_.instance->target, cancel_);
  }
  return known;
}

void StageTask::KeepTimings(const json& key, const json& timings) {
  if (order_.resumed) return;
  TimingsRecord record;
  record.key = HistoryKey(key);
  record.timings = MaskJson(timings, *services_.masker).dump(-1, ' ', false, json::error_handler_t::replace);
  record.run_id = order_.context.run_id;
  record.ended_at = UnixMilliseconds(services_.clock->Wall());
  record.gpu_memory = services_.samples->PeakMemory(order_.context);
  services_.store->Write([record](RunStore& store) mutable { store.KeepTimings(&record); });
}

json StageTask::FindTimings(const json& key) {
  json found = json::array();
  services_.store->WriteAndWait([&, key = HistoryKey(key)](RunStore& store) {
    for (const TimingsRecord& record : store.TimingsOf(key, kTimings)) {
      json timings = TryParseJson(record.timings, kOwnJson);
      if (timings.is_object()) found.push_back(std::move(timings));
    }
  });
  return found;
}

std::string StageTask::Input(const std::string& local_path) {
  const fs::path path = fs::absolute(local_path);
  DemandInput(path);
  if (target_.IsLocal()) return path;
  const InputFiles files = InputFilesOf(path);
  const std::string there = TargetPaths(OnTarget([&] { return target_.Workdir(); })).Input(files.digest, files.name);
  const std::string folder = files.pattern ? fs::path(there).parent_path().string() : there;
  for (const InputFiles::File& file : files.files) {
    inputs_.push_back({file.path, file.below.empty() ? there : folder + "/" + file.below, file.sha256});
  }
  return there;
}

std::string StageTask::JobFolder() {
  if (!order_.job_folder.empty()) return order_.job_folder;
  if (target_.IsLocal()) return services_.paths->JobFolder(order_.context);
  return TargetPaths(OnTarget([&] { return target_.Workdir(); })).JobFolder(order_.context);
}

std::string StageTask::OutputFolder() { return JobFolder() + "/out"; }

JobRequest StageTask::RequestFor(const json& spec) {
  JobRequest request;
  request.context = order_.context;
  request.target_name = order_.instance->target;
  request.target = &target_;
  request.folder = JobFolder();
  request.command.argv = spec.value("argv", std::vector<std::string>());
  request.command.script = spec.value("script", "");
  request.command.env = order_.env;
  const json env = spec.value("env", json::object()), outputs = spec.value("outputs", json::object());
  for (const auto& [name, value] : env.items()) request.command.env[name] = value;
  const std::vector<int> gpus = NumbersOf(order_.leased);
  request.command.workdir = OnTarget([&] { return target_.Workdir(); });
  if (!target_.IsLocal()) request.newest_log = TargetPaths(request.command.workdir).NewestLog(order_.context);
  if (!order_.instance->container.is_null()) {
    request.command.container = ContainerSpec::FromJson(order_.instance->container);
    request.command.container->gpus = gpus;
  } else if (!gpus.empty()) {
    // As nvidia-smi counts, which CUDA does not by itself.
    request.command.env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
    request.command.env["CUDA_VISIBLE_DEVICES"] = fmt::format("{}", fmt::join(gpus, ","));
  }
  const json files = spec.value("files", json::object());
  for (const auto& [name, file] : files.items()) {
    request.command.files.push_back({name, file.at("path"), file.at("text")});
  }
  const json inputs = spec.value("inputs", json::object());
  for (const auto& [name, input] : inputs.items()) {
    CheckInput(input.at("path").get<std::string>(), FramesIn(name, input), input.value("gaps", false));
  }
  RefuseSecrets(request.context, request.command, *services_.masker);
  request.inputs = inputs_;
  request.outputs = OutputsOf(outputs);
  request.local_folder = services_.paths->StageFolder(*order_.plugin, order_.context);
  request.log_path = services_.paths->StageLog(*order_.plugin, order_.context);
  request.max_log_bytes = order_.max_log_bytes;
  request.diagnostics = services_.paths->Diagnostics(order_.context.prompt_id);
  request.on_progress = [this](double done, double total, std::string_view phase) {
    Progress(done, total, phase, std::nullopt);
  };
  request.owner = services_.owner;
  request.resumed = order_.resumed;
  request.timeout = order_.timeout;
  request.begun = order_.begun;
  request.stall_timeout = order_.instance->stall_timeout;
  request.grace = kGrace;
  request.also = order_.running;
  return request;
}

std::vector<JobOutput> StageTask::OutputsOf(const json& outputs) {
  std::vector<JobOutput> list;
  for (const auto& [name, output] : outputs.items()) {
    const std::string kind = output.value("kind", "file");
    list.push_back({name, output.at("path"), kind == "video", output.value("optional", false),
                    VideoExpectation::FromJson(output.value("expect", json::object())), GroupOf(name, kind, output)});
  }
  return list;
}

JobResult StageTask::RunJob(const json& spec, const std::function<void(std::string_view)>& on_output) {
  if (std::exchange(job_ran_, true)) {
    throw Error(ErrorCode::kPlugin, "a stage may run one job per attempt", "join the commands into one script");
  }
  const JobRequest request = RequestFor(spec);
  if (request.command.argv.empty() == request.command.script.empty()) {
    throw Error(ErrorCode::kPlugin, "a job needs either argv or script");
  }
  MakePrivateFolder(request.log_path.parent_path());
  Symlink(fs::path("logs") / request.log_path.filename(), services_.paths->NewestLog(*order_.plugin, order_.context));
  for (const JobFile& file : request.command.files) KeepFile(file);
  const JobOutcome outcome = Carry(request, on_output);
  JobResult result{outcome.failure, json::object()};
  KeepResults([&] {
    for (const CollectedOutput& output : outcome.outputs) {
      Keep(output);
      result.outputs[output.name] = output.path.string();
    }
  });
  return result;
}

JobOutcome StageTask::Carry(const JobRequest& request, const std::function<void(std::string_view)>& on_output) {
  struct Running {
    explicit Running(std::atomic<bool>* flag) : flag_(flag) { *flag_ = true; }
    ~Running() { *flag_ = false; }
    std::atomic<bool>* flag_;
  };
  const Running running(&job_runs_);
  const JobOutcome outcome = OnTarget([&] { return services_.jobs->Run(request, cancel_, on_output); });
  left_behind_ = outcome.left_behind;
  job_failed_ = static_cast<bool>(outcome.failure);
  return outcome;
}

// Each attempt's own, as its log is.
void StageTask::KeepFile(const JobFile& file) {
  fs::path path = fs::path(Folder()) / file.path;
  if (order_.context.attempt > 1) {
    path.replace_filename(path.stem().string() + ".attempt-" + std::to_string(order_.context.attempt) +
                          path.extension().string());
  }
  MakeFolders(path.parent_path());
  WriteFileAtomically(path, file.text, kShared);
  Keep({file.name, path, static_cast<std::int64_t>(file.text.size()), Sha256OfFile(path)});
}

void StageTask::Keep(const CollectedOutput& output) {
  ArtifactRecord record;
  SetAttempt(order_.context, &record);
  record.name = output.name;
  record.path = output.path;
  record.size = output.size;
  record.sha256 = output.sha256;
  record.files = output.files;
  services_.store->Write([record](RunStore& store) mutable { store.PutArtifact(&record); });
  services_.bus->Publish(order_.context,
                         ArtifactMade{output.name, output.path, output.size, output.sha256, output.files});
}

std::string StageTask::Folder() {
  const fs::path folder = services_.paths->StageFolder(*order_.plugin, order_.context);
  MakeFolders(folder);
  return folder;
}

void StageTask::AddArtifact(const std::string& path) {
  const fs::path file = fs::weakly_canonical(path);
  const fs::path folder = fs::weakly_canonical(Folder());
  if (std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first != folder.end()) {
    throw Error(ErrorCode::kPlugin, "the artifact '" + path + "' is not below the stage's folder " + folder.string());
  }
  Keep({"", file, static_cast<std::int64_t>(fs::file_size(file)), Sha256OfFile(file)});
}

json StageTask::Containers(const std::string& run_id) {
  json containers = json::array();
  services_.store->WriteAndWait([&](RunStore& store) {
    for (const ContainerRecord& container : store.ContainersOf(run_id))
      containers.push_back(ContainerToJson(container));
  });
  return containers;
}

std::string StageTask::PutPrompt(const json& prompt) {
  return KeepPrompt(services_.store, services_.clock, *services_.masker, prompt);
}

std::string StageTask::FinishLog() {
  const fs::path log = services_.paths->StageLog(*order_.plugin, order_.context);
  if (job_ran_) return log;
  const std::lock_guard lock(mutex_);
  if (lines_.empty()) return "";
  MakePrivateFolder(log.parent_path());
  WriteFile(log, lines_);
  return log;
}

}  // namespace cosmos
