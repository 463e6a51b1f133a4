#include "inference/cosmos25.h"

#include <algorithm>
#include <cosmos/shell_quote.hpp>

#include "common/model_launch.h"
#include "common/parameters.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

// The name of the sample, and so of its files.
constexpr const char* kName = "output";

// As tyro, which reads the arguments, prints them.
std::string Flag(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

ModelLaunch LaunchOf(sdk::Task& task, const Json& parameters, const std::string& spec, bool keep_going,
                     const std::vector<std::string>& flags, const std::vector<std::string>& more) {
  ModelLaunch launch = ModelLaunch::From(task, parameters);
  const std::string folder = task.OutputFolder();
  launch.program = {"examples/inference.py"};
  std::vector<std::string>& words = launch.arguments;
  words = {"-i", folder + "/" + spec, "-o", folder};
  for (const char* name : {"checkpoint_path", "experiment", "config_file"}) {
    if (parameters.contains(name)) words.insert(words.end(), {Flag(name), Text(parameters, name)});
  }
  if (parameters.contains("context_parallel_size")) {
    words.insert(words.end(), {Flag("context_parallel_size"), Format(Number(parameters, "context_parallel_size", 1))});
  }
  words.emplace_back(keep_going ? "--keep-going" : "--no-keep-going");
  std::vector<std::string> all = {"disable_guardrails", "profile"};
  all.insert(all.end(), flags.begin(), flags.end());
  for (const std::string& name : all) {
    const bool offload = name.rfind("offload_", 0) == 0 && HasOomStep(task, "offload");
    if (offload || IsOn(parameters, name)) words.push_back(Flag(name));
  }
  words.insert(words.end(), more.begin(), more.end());
  return launch;
}

}  // namespace

Json Cosmos25Parameters() {
  Json parameters = LaunchParameters();
  parameters.update(Json::parse(R"json({
    "prompt": {"type": "string", "minLength": 1, "maxLength": 20000, "description": "What the shot shows."},
    "negative_prompt": {
      "type": "string", "minLength": 1, "maxLength": 20000,
      "description": "What the shot must not show. Default: the model's own."
    },
    "num_steps": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 35, "description": "Sampling steps."},
    "checkpoint_path": {
      "type": "string", "minLength": 1, "description": "A checkpoint on the target, or s3://…, instead of the model's own."
    },
    "experiment": {"type": "string", "minLength": 1, "description": "The experiment of a post-trained checkpoint."},
    "config_file": {"type": "string", "minLength": 1, "description": "Another configuration of the model."},
    "context_parallel_size": {
      "type": "integer", "minimum": 1, "description": "GPUs that share one video. Default: all of the job."
    },
    "disable_guardrails": {"type": "boolean", "default": false, "description": "Whether nothing is checked for safety."},
    "keep_going": {
      "type": "boolean", "default": false,
      "description": "What the model does when a guardrail blocks a video: false ends it with an error; true, the model's own default, ends it as if all were well, and with several GPUs it then hangs."
    },
    "profile": {"type": "boolean", "default": false, "description": "Whether a profile is written."}
  })json"));
  return parameters;
}

// Neither their documents nor their code say how large the checkpoints are.
sdk::JobNeeds Cosmos25Needs(const Json& parameters, const std::string& repository) {
  sdk::JobNeeds needs;
  needs.files = {"examples/inference.py"};
  if (const std::string path = Text(parameters, "checkpoint_path"); !path.empty() && path.find("://") == path.npos) {
    needs.files.push_back(path);
  }
  needs.files_hint =
      "`repo` is the folder of the model's code, below which checkpoint_path stands unless it is absolute";
  needs.driver = "570.124.06";  // docs/setup.md of both
  needs.disk_gb = 5;            // for what a job brings and makes
  // As huggingface_hub names it. With a checkpoint of the user's own the text encoder is still downloaded.
  std::string kept = parameters.contains("checkpoint_path") ? "nvidia/Cosmos-Reason1-7B" : repository;
  kept.replace(kept.find('/'), 1, "--");
  needs.download = {"~/.cache/huggingface", "HF_HOME", "hub/models--" + kept, 0};
  AddLaunchNeeds(parameters, &needs);
  return needs;
}

sdk::JobSpec Cosmos25Job(sdk::Task& task, const Json& parameters, Json sample, const std::vector<std::string>& flags,
                         const std::vector<std::string>& more) {
  sample["name"] = kName;
  sdk::JobSpec job = LaunchJob(LaunchOf(task, parameters, "spec.json", IsOn(parameters, "keep_going"), flags, more));
  job.env["COSMOS_VERBOSE"] = "1";  // else the chunks of a long video are not told
  job.files["spec"] = {"spec.json", sample.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
  job.outputs = Cosmos25Outputs();
  job.outputs["video"] = {std::string(kName) + ".mp4", "video", false, {}};
  return job;
}

sdk::JobSpec Cosmos25Batch(sdk::Task& task, const Json& parameters, const std::map<std::string, Json>& samples,
                           const std::vector<std::string>& flags, const std::vector<std::string>& more) {
  std::string lines;
  std::vector<std::string> keys;
  for (auto [key, sample] : samples) {
    sample["name"] = key;
    keys.push_back(key);
    lines += sample.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  // With several GPUs a sample that is blocked makes the others hang, so there it has to end the job.
  const bool keep_going = IsOn(parameters, "keep_going") || task.context().gpus <= 1;
  sdk::JobSpec job = LaunchJob(LaunchOf(task, parameters, "spec.jsonl", keep_going, flags, more),
                               "cd " + sdk::ShellQuote(task.OutputFolder()) + "\nfor key in " + sdk::ShellJoin(keys) +
                                   R"sh(; do
  mkdir -p "$key"
  for file in "$key".* "$key"_control_* "$key"_mask_*; do
    [ ! -f "$file" ] || mv "$file" "$key/output${file#"$key"}"
  done
done
)sh");
  job.env["COSMOS_VERBOSE"] = "1";
  job.files["spec"] = {"spec.jsonl", lines};
  return job;
}

std::map<std::string, sdk::JobOutput> Cosmos25Outputs() {
  std::map<std::string, sdk::JobOutput> outputs;
  outputs["prompt_file"] = {std::string(kName) + ".txt", "file", true, {}};
  outputs["arguments"] = {std::string(kName) + ".json", "file", true, {}};
  for (const char* log : {"console", "debug"}) {
    outputs[std::string(log) + "_log"] = {std::string(log) + ".log", "file", true, {}};
  }
  return outputs;
}

std::string Cosmos25Marker(const std::string& key) { return "] Processing sample " + key + "\n"; }

// Loading takes about a fifth of a run of one video.
ProgressRules Cosmos25Progress(int samples) {
  ProgressRules rules;
  rules.clip_marker = "] Processing sample ";
  rules.clips = samples;
  rules.phases = {{"Loading keys for batch hints", "loading the model", 0.02, 0.2},
                  {"Loading model", "loading the model", 0.02, 0.2},
                  {"Saved config to", "loaded", 0.2, 0.2},
                  {"Running guardrail check on prompt", "checking the prompt", 0.2, 0.22},
                  {"Processing the following paths", "rendering", 0.22, 0.94},
                  {"Running guardrail check on video", "checking the video", 0.94, 0.98},
                  {"Generated video saved to", "saved", 1, 1}};
  rules.rounds_phase = "rendering";
  rules.counters = {{"chunk", "Generating chunk ", ""}};
  rules.bar_name = "step";
  rules.bar_label = "Generating samples";
  return rules;
}

}  // namespace cosmos::plugins
