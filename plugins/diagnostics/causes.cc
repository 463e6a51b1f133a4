#include "diagnostics/causes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace cosmos::plugins {
namespace {

struct Row {
  std::string_view kind;
  std::string_view cause;
  std::array<std::string_view, 4> try_this;
};

// {run}, {stage}, {target} and {log} stand for the run's own.
constexpr Row kRows[] = {
    {"exit_code",
     "The stage's own command ended with an error. What it says at the end of its log is mostly the reason.",
     {"read the end of the log ({log}): the last error there, and the first one before it",
      "try the command by hand in the stage's working folder, or with `cosmos-engine run --dry-run` see what is run",
      "after correcting it: `cosmos-engine retry {run}`, with `--file WORKFLOW` when the workflow was corrected"}},
    {"killed",
     "Something outside ended the job: the kernel when memory was short, an administrator, a job limit of the host.",
     {"look for `Out of memory` and `Killed process` in the kernel's messages, and at the memory that is left",
      "give the container more memory, or the stage less to do (fewer frames, a smaller size, offloading)",
      "ask who else uses '{target}'; then `cosmos-engine retry {run}`"}},
    {"timeout",
     "The stage took longer than its `timeout:` allows.",
     {"see in the log whether it was still at work at the end; then give it a longer `timeout:`",
      "when it stood still: look at the GPU and at the kernel's messages for errors", "`cosmos-engine retry {run}`"}},
    {"stalled",
     "The job wrote nothing to its log for longer than `stall_timeout:` allows: it hangs, or it works without a word.",
     {"read what its processes did just then, in {stage}.attempt-N.stalled.txt beside this file",
      "look for Xid errors of the GPU and for a download that got stuck at the end of the log",
      "when it only says little: a longer `stall_timeout:`; else `cosmos-engine retry {run}`"}},
    {"cancelled", "Somebody cancelled it.", {"`cosmos-engine retry {run}` goes on with what had not succeeded"}},
    {"connection_lost",
     "The host could not be reached any more, and the engine had to stop waiting for it. What runs there goes on.",
     {"`cosmos-engine targets check {target}` tells what is wrong with the connection",
      "when the host is back: `cosmos-engine resume {run}` finds the job again"}},
    {"host_rebooted",
     "The machine was restarted while the job ran: by its owner, by an update, by the provider that took it back, or "
     "after a crash.",
     {"ask the provider, or look at `last -x` and `journalctl -b -1` on '{target}'",
      "a spot or preemptible machine wants `retry: {attempts: 3}`", "`cosmos-engine retry {run}`"}},
    {"output_missing",
     "The job ended without an error, and did not write what it should have.",
     {"compare the names below `outputs:` with what the job's folder holds",
      "write to $COSMOS_OUTPUT_DIR; relative paths of outputs begin there",
      "see in the log whether it left the work out because of something it only warned about"}},
    {"output_invalid",
     "The output is there, and is not what it should be: a video that does not decode, or of another length or size.",
     {"look at the disk of '{target}': a full one cuts files off", "read the end of the log for an encoder's errors",
      "`cosmos-engine retry {run}`"}},
    {"cuda_oom",
     "The GPU's memory was not enough for the model with these settings, or somebody else had taken a part of it.",
     {"end what else uses the GPU (see the processes on it)",
      "give the stage `retry: {on_oom: [offload, more_gpus, fewer_frames]}`",
      "make frames, size or number of controls smaller; then `cosmos-engine retry {run}`"}},
    {"guardrail_blocked",
     "The model's guardrail refused the prompt or the video that was made.",
     {"reword the prompt: people's and brands' names and violence are common causes",
      "see in the log which of the checks it was, and whether before or after the work"}},
    {"nccl_timeout",
     "The GPUs of the job waited for each other in vain. Mostly one of its processes had died or hung before.",
     {"look for the first error in the log, of any rank; the time-out only follows from it",
      "look for Xid errors in the kernel's messages", "`ipc: host` or a larger `shm_size:` for its container",
      "try with one GPU: `resources: {gpus: 1}`"}},
    {"checkpoint_missing",
     "The model's checkpoints are not where the stage looks for them.",
     {"download them on '{target}', or correct `checkpoint_dir:`",
      "mount their folder into the container, under the path that the model expects",
      "for models that need a login: give `HF_TOKEN` through `secrets:` and `env:`"}},
    {"disk_full",
     "A disk has no space left: on the target, or here for logs and outputs.",
     {"`cosmos-engine gc --target {target}` removes what runs that have ended left there",
      "`docker system df` and `docker image prune` on '{target}' free images that nobody uses",
      "remove outputs that nobody needs any more here; then `cosmos-engine retry {run}`"}},
    {"gpu_busy",
     "Programs that belong to no run here use the target's GPUs, and the stage was told not to wait for them.",
     {"`cosmos-engine status --target {target}` and `nvidia-smi` there tell which programs they are",
      "once they have ended: `cosmos-engine retry {run}`",
      "`resources: {gpus: N, gpu_busy: wait}` waits for them by itself"}},
    {"plugin_error",
     "The stage's plugin, or what the engine was to do for it on the target, could not do its work; the message says "
     "what.",
     {"read the message: it names what was found and what to do",
      "`cosmos-engine targets check {target}` looks at the target", "see the last commands that were sent to it"}},
    {"plugin_crashed",
     "The engine ended while the stage's plugin was at work.",
     {"`cosmos-engine resume {run}` goes on with the run",
      "when it happens again: tell the plugin's author, with "
      "engine.log.txt",
      "`cosmos-engine plugins` tells which file the plugin is"}},
    {"invalid_input",
     "What the stage was given cannot be worked with; trying again changes nothing.",
     {"correct what the message names", "`cosmos-engine validate` and `run --dry-run --check-targets` look beforehand",
      "`cosmos-engine retry {run}` takes the workflow as it was; a corrected one is a new `run`"}},
};

// What a message names says more than the kind of the failure. The first that fits counts.
struct NamedRow {
  std::array<std::string_view, 8> words;  // any of them
  Row row;
};
constexpr NamedRow kNamedRows[] = {
    {{"cannot give a GPU to the container", "could not select device driver", "cannot give containers GPUs",
      "nvidia-container-cli", "unresolvable CDI devices"},
     {"toolkit",
      "The container engine of '{target}' cannot give containers GPUs: NVIDIA's container toolkit is not installed "
      "there, or not known to the engine. The job itself never began.",
      {"install `nvidia-container-toolkit` on '{target}', then `nvidia-ctk runtime configure` and restart the engine",
       "`cosmos-engine targets check {target}` starts a container with GPUs to try it",
       "then `cosmos-engine retry {run}`"}}},
    {{"could not be pulled", "pull access denied", "Unable to find image", "manifest unknown", "cannot be pulled",
      "repository does not exist"},
     {"image",
      "The container's image is not on '{target}' and cannot be pulled. The job itself never began.",
      {"correct `image:`; its name and tag are in the message",
       "log in to its registry on '{target}', or load it there",
       "then `cosmos-engine retry {run}`, or a new `run` when the workflow was changed"}}},
    {{"annot connect to the Docker daemon", "docker: not found", "docker: command not found", "podman: not found",
      "podman: command not found", "docker': No such file", "failed to run command 'docker'",
      "failed to run command 'podman'"},
     {"engine",
      "There is no container engine on '{target}' that the account can use: it is not installed, or its daemon does "
      "not "
      "run. The job itself never began.",
      {"start or install it on '{target}', or name another one by `engine:` of `container:`",
       "`cosmos-engine targets check {target}` shows what is missing", "then `cosmos-engine retry {run}`"}}},
    {{"a GPU failed while the job ran", "fallen off the bus", "Unable to determine the device handle", "GPU is lost",
      "requires reset", "NVRM: Xid", "works, expected"},
     {"gpu",
      "A GPU of '{target}' does not work any more: it was lost or waits for a reset. The job is not at fault.",
      {"reset it on '{target}' (`nvidia-smi --gpu-reset`) or restart the machine",
       "look for Xid errors in the kernel's messages; when it comes back, the GPU, its power or its cooling is faulty",
       "then `cosmos-engine retry {run}`, or use another target"}}},
    {{"driver of the target does not work", "NVIDIA-SMI has failed", "Driver/library version mismatch",
      "the driver is asked again", "Failed to initialize NVML"},
     {"driver",
      "NVIDIA's driver on '{target}' does not work, so that no program there can use a GPU. The job is not at fault.",
      {"after an update of the driver restart the machine; otherwise reinstall the driver",
       "`nvidia-smi` on '{target}' must work before anything else does", "then `cosmos-engine retry {run}`"}}},
    {{"the job found no GPU", "No CUDA GPUs are available", "no CUDA-capable device"},
     {"none",
      "The job found no GPU: none was given to it, or none of the target's works.",
      {"give the stage `resources: {gpus: 1}`; without that its container gets none",
       "look at `nvidia-smi` on '{target}'", "then `cosmos-engine retry {run}`"}}},
};

constexpr Row kInterrupted = {
    "",
    "The run's engine has ended without ending the run: it was killed, or its machine was switched off. Jobs that it "
    "had "
    "started go on on their targets.",
    {"`cosmos-engine resume {run}` continues it and collects what its jobs did meanwhile",
     "`cosmos-engine cancel {run}` ends it and its jobs",
     "`cosmos-engine targets check {target}` shows whether the target can be reached"}};

constexpr Row kAny = {"",
                      "Nothing is known of the kind of this failure.",
                      {"read the end of the log ({log})", "look at the commands that were sent to '{target}'"}};

std::string Filled(std::string_view text, const RunFacts& run, const StageFacts& stage) {
  std::string filled(text);
  const auto put = [&](std::string_view place, const std::string& value) {
    for (std::size_t at = filled.find(place); at != filled.npos; at = filled.find(place, at + value.size())) {
      filled.replace(at, place.size(), value);
    }
  };
  put("{run}", run.run_id);
  put("{stage}", stage.key);
  put("{target}", stage.target.empty() ? "local" : stage.target);
  put("{log}", stage.log_path.empty() ? "there is none" : stage.log_path);
  return filled;
}

const Row* RowOf(const std::string& kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return &row;
  }
  return &kAny;
}

// The first whose words are in the text; null: none.
const Row* NamedRowIn(const std::string& text) {
  for (const NamedRow& named : kNamedRows) {
    const bool fits = std::any_of(named.words.begin(), named.words.end(), [&](std::string_view words) {
      return !words.empty() && text.find(words) != text.npos;
    });
    if (fits) return &named.row;
  }
  return nullptr;
}

// Whether a failure of the kind may have any reason, so that its message says more.
bool IsOpen(const std::string& kind) {
  constexpr std::string_view kOpen[] = {
      "", "exit_code", "killed", "gpu_busy", "plugin_error", "output_missing", "output_invalid", "invalid_input"};
  return std::find(std::begin(kOpen), std::end(kOpen), kind) != std::end(kOpen);
}

Cause FilledRow(const Row& row, const RunFacts& run, const StageFacts& stage) {
  Cause cause{Filled(row.cause, run, stage), {}};
  // Not every plugin has such steps: the message names them where it has.
  const bool has_steps = stage.message.find("on_oom") != stage.message.npos;
  for (const std::string_view text : row.try_this) {
    if (text.empty() || (text.find("on_oom") != text.npos && !has_steps)) continue;
    cause.try_this.push_back(Filled(text, run, stage));
  }
  return cause;
}

}  // namespace

Cause CauseOf(const std::string& kind, const RunFacts& run, const StageFacts& stage, const std::string& log_end) {
  const Row* row = nullptr;
  for (const std::string* text : {&stage.message, &log_end}) {
    if (row == nullptr && IsOpen(kind)) row = NamedRowIn(*text);
  }
  return FilledRow(row == nullptr ? *RowOf(kind) : *row, run, stage);
}

Cause CauseOfInterruption(const RunFacts& run, const StageFacts& stage) { return FilledRow(kInterrupted, run, stage); }

std::vector<std::string> KnownKinds() {
  std::vector<std::string> kinds;
  for (const Row& row : kRows) kinds.emplace_back(row.kind);
  return kinds;
}

}  // namespace cosmos::plugins
