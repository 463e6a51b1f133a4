#include "core/failure_patterns.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kLongestLine = 200;

struct Pattern {
  FailureKind kind;                          // kNone: it explains, and has no kind of its own
  std::array<std::string_view, 2> together;  // in one line
  std::string_view what;
  std::string_view advice;
};

constexpr std::string_view kOom = "the GPU's memory was not enough";
constexpr std::string_view kOomAdvice =
    "free the GPU, or give the stage `retry: {on_oom: [offload, more_gpus, fewer_frames]}`";
constexpr std::string_view kGuardrail = "the model's guardrail blocked the prompt or the video";
constexpr std::string_view kGuardrailAdvice = "reword the prompt; faces and brand names are common causes";
constexpr std::string_view kNccl = "the GPUs of the job lost touch with each other";
constexpr std::string_view kNcclAdvice = "look for an earlier error of one rank; with none, try again with fewer GPUs";
constexpr std::string_view kCheckpoint = "a checkpoint of the model is missing";
constexpr std::string_view kCheckpointAdvice = "download the model's checkpoints on the target, or mend checkpoint_dir";
constexpr std::string_view kDisk = "a disk of the target is full";
constexpr std::string_view kDiskAdvice = "free space there; `cosmos-engine gc` removes what ended runs left";
constexpr std::string_view kNoGpu = "the job found no GPU";
constexpr std::string_view kNoGpuAdvice =
    "give the stage `resources: {gpus: 1}`, and look at `nvidia-smi` on the target";
constexpr std::string_view kGpuGone = "a GPU failed while the job ran";
constexpr std::string_view kGpuGoneAdvice = "the machine needs a restart, or another GPU";
constexpr std::string_view kDriver = "the NVIDIA driver of the target does not work";
constexpr std::string_view kDriverAdvice = "restart the machine after a driver update, or reinstall the driver";
constexpr std::string_view kToolkit = "the container engine cannot give a GPU to the container";
constexpr std::string_view kToolkitAdvice = "install nvidia-container-toolkit on the target and restart its engine";
constexpr std::string_view kImage = "the container's image is not on the target and could not be pulled";
constexpr std::string_view kImageAdvice = "log in to its registry and pull it there, or mend `image:`";

constexpr std::string_view kNoFfmpeg = "there is no ffmpeg where the job ran";
constexpr std::string_view kMediaFormat = "an input is a playlist, or in a format that ffmpeg may not read here";
constexpr std::string_view kMediaFormatAdvice = "give an ordinary video file, such as an MP4";
constexpr std::string_view kNoFfmpegAdvice = "install ffmpeg on the target, or name a container image that has it";

using Kind = FailureKind;

// In the order in which they explain each other.
constexpr Pattern kPatterns[] = {
    {Kind::kCudaOom, {"OutOfMemoryError"}, kOom, kOomAdvice},
    {Kind::kCudaOom, {"CUDA out of memory"}, kOom, kOomAdvice},
    {Kind::kCudaOom, {"CUDA error", "out of memory"}, kOom, kOomAdvice},
    {Kind::kCudaOom, {"CUBLAS_STATUS_ALLOC_FAILED"}, kOom, kOomAdvice},
    {Kind::kCudaOom, {"CUDNN_STATUS_ALLOC_FAILED"}, kOom, kOomAdvice},
    {Kind::kDiskFull, {"No space left on device"}, kDisk, kDiskAdvice},
    {Kind::kDiskFull, {"Disk quota exceeded"}, kDisk, kDiskAdvice},
    {Kind::kCheckpointMissing, {"No such file or directory", "checkpoints/"}, kCheckpoint, kCheckpointAdvice},
    {Kind::kCheckpointMissing, {"No such file or directory", ".safetensors"}, kCheckpoint, kCheckpointAdvice},
    {Kind::kCheckpointMissing, {"No such file or directory", ".pt'"}, kCheckpoint, kCheckpointAdvice},
    {Kind::kCheckpointMissing, {"Checkpoint path", "does not exist"}, kCheckpoint, kCheckpointAdvice},
    {Kind::kCheckpointMissing,
     {"is not a local folder and is not a valid model identifier"},
     kCheckpoint,
     kCheckpointAdvice},
    {Kind::kGuardrailBlocked, {"GUARDRAIL BLOCKED"}, kGuardrail, kGuardrailAdvice},
    {Kind::kGuardrailBlocked, {"Guardrail blocked"}, kGuardrail, kGuardrailAdvice},
    {Kind::kGuardrailBlocked, {"Guardrail check failed"}, kGuardrail, kGuardrailAdvice},
    {Kind::kGuardrailBlocked, {"Input is: UNSAFE"}, kGuardrail, kGuardrailAdvice},
    {Kind::kNone, {"fallen off the bus"}, kGpuGone, kGpuGoneAdvice},
    {Kind::kNone, {"NVRM: Xid"}, kGpuGone, kGpuGoneAdvice},
    {Kind::kNone,
     {"CUDA error", "illegal memory access"},
     kGpuGone,
     "try again; if it comes back, the GPU or the model is at fault"},
    {Kind::kNone, {"Unable to determine the device handle for"}, kGpuGone, kGpuGoneAdvice},
    {Kind::kNone, {"NVIDIA-SMI has failed"}, kDriver, kDriverAdvice},
    {Kind::kNone, {"Driver/library version mismatch"}, kDriver, kDriverAdvice},
    {Kind::kNone, {"could not select device driver"}, kToolkit, kToolkitAdvice},
    {Kind::kNone, {"No CUDA GPUs are available"}, kNoGpu, kNoGpuAdvice},
    {Kind::kNone, {"no CUDA-capable device is detected"}, kNoGpu, kNoGpuAdvice},
    {Kind::kNone, {"pull access denied"}, kImage, kImageAdvice},
    {Kind::kNone, {"Unable to find image"}, kImage, kImageAdvice},
    {Kind::kNone, {"ffmpeg: not found"}, kNoFfmpeg, kNoFfmpegAdvice},
    {Kind::kNone, {"ffmpeg: command not found"}, kNoFfmpeg, kNoFfmpegAdvice},
    {Kind::kNone, {"ffprobe: not found"}, kNoFfmpeg, kNoFfmpegAdvice},
    {Kind::kNone, {"ffprobe: command not found"}, kNoFfmpeg, kNoFfmpegAdvice},
    {Kind::kNone, {"Format not on whitelist"}, kMediaFormat, kMediaFormatAdvice},
    {Kind::kNcclTimeout, {"Watchdog caught collective operation timeout"}, kNccl, kNcclAdvice},
    {Kind::kNcclTimeout, {"ProcessGroupNCCL", "got stuck for"}, kNccl, kNcclAdvice},
    {Kind::kNcclTimeout, {"NCCL", "timed out"}, kNccl, kNcclAdvice},
};

bool Holds(std::string_view line, const Pattern& pattern) {
  return std::all_of(pattern.together.begin(), pattern.together.end(),
                     [&](std::string_view words) { return line.find(words) != line.npos; });
}

// The line around `at`; a progress bar ends its lines with '\r'.
std::string_view LineAt(std::string_view log, std::size_t at) {
  const std::size_t begin = log.find_last_of("\r\n", at);
  const std::size_t end = log.find_first_of("\r\n", at);
  const std::size_t first = begin == log.npos ? 0 : begin + 1;
  return log.substr(first, end == log.npos ? log.npos : end - first);
}

std::string_view Find(std::string_view log, const Pattern& pattern) {
  for (std::size_t at = log.find(pattern.together[0]); at != log.npos; at = log.find(pattern.together[0], at + 1)) {
    const std::string_view line = LineAt(log, at);
    if (Holds(line, pattern)) return line;
  }
  return {};
}

std::string Shortened(std::string_view line) {
  const std::string text = TruncateUtf8(line, kLongestLine);
  return text.size() < line.size() ? text + "…" : text;
}

}  // namespace

LogVerdict ReadVerdict(std::string_view log) {
  for (const Pattern& pattern : kPatterns) {
    const std::string_view line = Find(log, pattern);
    if (line.empty()) continue;
    return {pattern.kind, std::string(pattern.what), Shortened(line), std::string(pattern.advice)};
  }
  return {};
}

Failure Explained(const Failure& failure, const LogVerdict& verdict) {
  const bool open = failure.kind == FailureKind::kExitCode || failure.kind == FailureKind::kKilled ||
                    failure.kind == FailureKind::kOutputMissing || failure.kind == FailureKind::kOutputInvalid;
  if (verdict.what.empty() || !open) return failure;
  return {verdict.kind == FailureKind::kNone ? failure.kind : verdict.kind,
          verdict.what + " (its log: `" + verdict.line + "`); " + verdict.advice + "; " + failure.message};
}

std::string WithOomSteps(const std::string& message, const std::vector<std::string>& steps) {
  const std::size_t at = message.find(kOomAdvice);
  if (at == message.npos) return message;
  const std::string advice = steps.empty()
                                 ? "free the GPU, or give the stage less to do"
                                 : "free the GPU, or give the stage `retry: {on_oom: [" + Join(steps, ", ") + "]}`";
  return std::string(message).replace(at, kOomAdvice.size(), advice);
}

}  // namespace cosmos
