#include "prompt_enhancement/upsampler.h"

#include <algorithm>
#include <array>
#include <cosmos/shell_quote.hpp>
#include <fstream>
#include <iterator>
#include <regex>

#include "common/model_launch.h"
#include "common/parameters.h"
#include "prompt_enhancement/chat_request.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::ShellQuote;

constexpr std::string_view kMarker = "Upsampled prompt:";
constexpr const char* kOutput = "upsampler.txt";
constexpr std::size_t kMostTail = std::size_t{64} * 1024;  // of the log, to find the reason of a failure in

// What the upsampler says when it fails for a reason that a person can mend, besides what the engine knows of any job.
struct KnownFailure {
  const char* text;
  const char* kind;
  const char* message;
};
constexpr const char* kNoWeights = "the model's weights are not below checkpoint_dir; download them there";
constexpr std::array<KnownFailure, 5> kKnown = {{
    {"longer than the maximum model length", "exit_code",
     "prompt and frames are too long for the model, which takes 4096 tokens; give a video of fewer pixels, such as 320 "
     "x 180"},
    {"Invalid repository ID or local directory", "checkpoint_missing", kNoWeights},
    {"Repo id must be", "checkpoint_missing", kNoWeights},
    {"torchrun: not found", "exit_code",
     "there is no torchrun on the target; run it in the model's container or environment"},
    {"can't open file", "exit_code", "the model's code is not there; give its folder as repo"},
}};

// A line that the model's libraries wrote, not the model.
bool IsLogLine(std::string_view line) {
  static const std::regex kBeginning(R"((DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:)"  // vLLM
                                     R"(|\((EngineCore|Worker))"                               // its processes
                                     R"(|\[\d\d-\d\d \d\d:\d\d:\d\d\|)"                        // cosmos-transfer1
                                     R"(|\[rank\d+\]:|[IWEF]\d{4} \d\d:\d\d:\d\d)");           // torch, torchrun
  const std::string beginning(line.substr(0, 32));
  return std::regex_search(beginning, kBeginning, std::regex_constants::match_continuous);
}

// The end of a log that comes in pieces.
class Tail {
 public:
  void Add(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() > 2 * kMostTail) text_.erase(0, text_.size() - kMostTail);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The job's failure, with what its log tells of the reason unless that is known already.
BackendFailure Explained(const sdk::StageFailure& failure, const std::string& log) {
  Json explained = failure.failure();
  for (const KnownFailure& known : kKnown) {
    if (failure.kind() != "exit_code" || log.find(known.text) == std::string::npos) continue;
    explained["kind"] = known.kind;
    explained["message"] = failure.message() + ": " + known.message;
    break;
  }
  return BackendFailure(explained);
}

// Whether the job was ended from outside, so that the model did not fail.
bool WasEnded(const sdk::StageFailure& failure) {
  return failure.kind() == "cancelled" || failure.kind() == "timeout" || failure.kind() == "invalid_input";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

sdk::JobSpec UpsamplerJob(sdk::Task& task, const Json& parameters) {
  ModelLaunch launch = ModelLaunch::From(task, parameters);
  launch.launcher = "torchrun";  // whose variables the script wants, also for one process
  launch.gpus = 1;
  launch.program = {"cosmos_transfer1/auxiliary/upsampler/inference/upsampler_pipeline.py"};
  const std::string prompt = Text(parameters, "prompt");
  if (prompt.front() == '-') {
    launch.arguments = {"--prompt=" + prompt};  // as a word of its own it would be taken for an option
  } else {
    launch.arguments = {"--prompt", prompt};
  }
  for (const std::string& word : {std::string("--input_video"), task.Input(Text(parameters, "video")),
                                  std::string("--checkpoint_dir"), Text(parameters, "checkpoint_dir")}) {
    launch.arguments.push_back(word);
  }
  const std::string before = LaunchSetup(launch);
  const std::string command = LaunchCommand(launch);

  sdk::JobSpec spec;
  spec.script = "set -e\n" + before;
  // The model leaves the video's frames in the folder for temporary files, under names that are always the same.
  spec.script += "TMPDIR=$(mktemp -d)\nexport TMPDIR\ntrap 'rm -rf \"$TMPDIR\"' EXIT\ntrap 'exit 143' TERM\n";
  // Its standard output in a file of its own, without what goes to stderr in between, and in the log as it grows. No
  // pipe: the exit status is the model's, and what it may leave running keeps nobody waiting.
  spec.script += "printed=" + ShellQuote(task.OutputFolder() + "/" + kOutput) + "\n: >\"$printed\"\n";
  spec.script += command + " >\"$printed\" &\ntail -n +1 -s 0.1 -f --pid=$! \"$printed\"\nwait $!\n";
  spec.env = {{"VLLM_WORKER_MULTIPROC_METHOD", "spawn"}, {"PYTHONUNBUFFERED", "1"}};  // CUDA does not survive a fork
  spec.outputs["printed"] = {kOutput, "file", false};
  spec.files["command"] = {"command.txt", before + command + "\n"};
  return spec;
}

Enhanced EnhanceByUpsampler(sdk::Task& task, const Json& parameters) {
  const sdk::JobSpec spec = UpsamplerJob(task, parameters);
  Tail log;
  Json files;
  try {
    files = task.RunJob(spec, [&](std::string_view bytes) { log.Add(bytes); });
  } catch (const sdk::StageFailure& failure) {
    if (WasEnded(failure)) throw;
    throw Explained(failure, log.text());
  }
  // From the file and not from the log as it came by: an engine that attached to the job late has missed its beginning.
  const std::optional<std::string> prompt = UpsampledPrompt(ReadFile(files.at("printed")));
  if (!prompt) {
    throw BackendFailure("output_missing", "the job ended well but printed no line that begins with '" +
                                               std::string(kMarker) +
                                               "'; see its log, and whether repo is cosmos-transfer1");
  }
  if (prompt->empty()) {
    throw BackendFailure("output_invalid", "the model printed an empty prompt; see the job's log, and try again");
  }
  return {*prompt, {{"model", "Cosmos-UpsamplePrompt1-12B-Transfer"}}};
}

std::optional<std::string> UpsampledPrompt(std::string_view printed) {
  std::size_t at = printed.find(kMarker);
  while (at != std::string_view::npos && at > 0 && printed[at - 1] != '\n') at = printed.find(kMarker, at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  printed.remove_prefix(at + kMarker.size());
  std::string prompt;
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    if (IsLogLine(line)) break;
    prompt.append(line).append("\n");
    printed.remove_prefix(std::min(line.size() + 1, printed.size()));
  }
  return PromptIn(prompt);
}

}  // namespace cosmos::plugins
