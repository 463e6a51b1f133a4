#include "common/transfer1.h"

#include <cosmos/shell_quote.hpp>

#include "common/model_launch.h"
#include "common/parameters.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr double kGpuMemory = 70;  // GB
constexpr double kDisk = 5;        // GB, for what a job brings and makes
constexpr double kDownload = 300;  // GB, all checkpoints, as its documents say

constexpr const char* kFlags[] = {"offload_text_encoder_model", "offload_guardrail_models",
                                  "offload_diffusion_transformer", "offload_prompt_upsampler"};

ModelLaunch LaunchOf(sdk::Task& task, const Json& parameters, const std::vector<std::string>& more) {
  ModelLaunch launch = ModelLaunch::From(task, parameters);
  const std::string folder = task.OutputFolder();
  launch.program = {"cosmos_transfer1/diffusion/inference/transfer.py"};
  std::vector<std::string>& words = launch.arguments;
  const auto add = [&](const std::string& name, const std::string& value) {
    // Two words: the script looks for its own spelling of an argument to see whether it was given.
    words.insert(words.end(), {"--" + name, value});
  };
  add("checkpoint_dir", Text(parameters, "checkpoint_dir"));
  add("tokenizer_dir", Text(parameters, "tokenizer_dir"));
  add("controlnet_specs", folder + "/spec.json");
  add("video_save_folder", folder);
  add("video_save_name", "output");
  add("num_gpus", std::to_string(launch.launcher == "torchrun" ? launch.gpus : 1));
  for (const char* name : {"seed", "guidance", "fps", "sigma_max", "num_steps"}) {
    if (parameters.contains(name)) add(name, Format(Number(parameters, name, 0)));
  }
  const bool offload = HasOomStep(task, "offload");
  for (const char* flag : kFlags) {
    if (offload || IsOn(parameters, flag)) words.push_back(std::string("--") + flag);
  }
  for (const char* flag : {"save_input_noise", "benchmark"}) {
    if (IsOn(parameters, flag)) words.push_back(std::string("--") + flag);
  }
  words.insert(words.end(), more.begin(), more.end());

  return launch;
}

void AddSpec(const Json& spec, sdk::JobSpec* job) {
  job->files["spec"] = {"spec.json", spec.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

// Brings what the script made to the folders of the members, by the prompts that it wrote beside.
std::string FindByPrompt(const std::string& folder, const std::vector<std::string>& keys) {
  return "cd " + sdk::ShellQuote(folder) + "\nfor key in " + sdk::ShellJoin(keys) + R"sh(; do
  for clip in video_*; do
    cmp -s "$clip/prompt.txt" "prompts/$key.txt" && [ -f "$clip/output.mp4" ] || continue
    mkdir -p "$key"
    mv "$clip"/* "$key/"
    break
  done
done
)sh";
}

}  // namespace

Json Transfer1Parameters() {
  Json parameters = LaunchParameters();
  parameters.update(Json::parse(R"json({
    "seed": {"type": "integer", "minimum": 0, "default": 1, "description": "The seed of the noise."},
    "guidance": {
      "type": "number", "minimum": 0, "default": 5,
      "description": "How closely the prompt is kept to (classifier-free guidance)."
    },
    "fps": {"type": "integer", "minimum": 1, "default": 24, "description": "Frames a second of the result."},
    "sigma_max": {
      "type": "number", "minimum": 0, "default": 70,
      "description": "Noise added to the input video; from 80 on nothing of it is left."
    },
    "checkpoint_dir": {
      "type": "string", "minLength": 1, "default": "checkpoints",
      "description": "The folder of the checkpoints on the target, absolute, or below the folder of the model's code."
    },
    "tokenizer_dir": {
      "type": "string", "minLength": 1, "default": "Cosmos-Tokenize1-CV8x8x8-720p",
      "description": "The tokenizer's folder below checkpoint_dir."
    },
    "offload_text_encoder_model": {
      "type": "boolean", "default": true, "description": "Whether the text encoder leaves the GPU after its work."
    },
    "offload_guardrail_models": {
      "type": "boolean", "default": true, "description": "Whether the guardrails leave the GPU after their work."
    },
    "offload_diffusion_transformer": {
      "type": "boolean", "default": false, "description": "Whether the diffusion model leaves the GPU after its work."
    },
    "save_input_noise": {
      "type": "boolean", "default": false, "description": "Whether the noise is kept as the output noise (noise.pickle)."
    },
    "benchmark": {"type": "boolean", "default": false, "description": "Whether the script measures its own times."}
  })json"));
  return parameters;
}

// Names of the model's checkpoints.py.
sdk::JobNeeds Transfer1Needs(const Json& parameters, const std::string& model,
                             const std::vector<std::string>& controls) {
  const std::string checkpoints = Text(parameters, "checkpoint_dir") + "/";
  sdk::JobNeeds needs;
  needs.sizes = Transfer1Sizes();
  needs.files = {"cosmos_transfer1/diffusion/inference/transfer.py"};
  if (!model.empty()) needs.files.push_back(checkpoints + "nvidia/" + model + "/base_model.pt");
  for (const std::string& control : controls) needs.files.push_back(checkpoints + "nvidia/" + model + "/" + control);
  needs.files.push_back(checkpoints + "nvidia/" + Text(parameters, "tokenizer_dir"));
  for (const char* other : {"nvidia/Cosmos-Guardrail1", "google-t5/t5-11b"}) needs.files.push_back(checkpoints + other);
  needs.files_hint =
      "`repo` is the folder of cosmos-transfer1's code; its scripts/download_checkpoints.py brings the checkpoints "
      "(300 GB in all), or name another folder as `checkpoint_dir`";
  needs.gpu_memory_gb = kGpuMemory;
  needs.disk_gb = kDisk;
  needs.download = {"", "", Text(parameters, "checkpoint_dir"), kDownload};
  return needs;
}

sdk::JobSpec Transfer1Job(sdk::Task& task, const Json& parameters, const Json& spec,
                          const std::vector<std::string>& more) {
  sdk::JobSpec job = LaunchJob(LaunchOf(task, parameters, more));
  AddSpec(spec, &job);
  job.outputs = Transfer1Outputs(parameters, "output.txt");
  return job;
}

sdk::JobSpec Transfer1Batch(sdk::Task& task, const Json& parameters, const Json& spec, std::vector<std::string> more,
                            const std::vector<Json>& clips, const std::vector<std::string>& keys) {
  const std::string folder = task.OutputFolder();
  more.insert(more.end(), {"--batch_input_path", folder + "/clips.jsonl", "--batch_size", "1"});
  sdk::JobSpec job = LaunchJob(LaunchOf(task, parameters, more), FindByPrompt(folder, keys));
  AddSpec(spec, &job);
  std::string lines;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    lines += clips[i].dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    job.files["prompt_" + keys[i]] = {"prompts/" + keys[i] + ".txt", clips[i].at("prompt").get<std::string>()};
  }
  job.files["clips"] = {"clips.jsonl", lines};
  return job;
}

std::map<std::string, sdk::JobOutput> Transfer1Outputs(const Json& parameters, const char* prompt_file) {
  std::map<std::string, sdk::JobOutput> outputs;
  outputs["video"] = {"output.mp4", "video", false, {}};
  outputs["prompt_file"] = {prompt_file, "file", true, {}};
  if (IsOn(parameters, "save_input_noise")) outputs["noise"] = {"noise.pickle", "file", true, {}};
  return outputs;
}

// The shares are those of a clip of 121 frames with 35 steps; what comes before is the loading of the models.
ProgressRules Transfer1Progress(int clips) {
  ProgressRules rules;
  rules.clip_marker = "running preprocessor";
  rules.clips = clips;
  rules.phases = {{"running preprocessor", "preprocessing", 0.02, 0.06},
                  {"Running guardrail checks on all prompts", "checking the prompt", 0.06, 0.08},
                  {"Starting T5 compute", "encoding the prompt", 0.08, 0.11},
                  {"Completed T5 compute", "loading the model", 0.11, 0.12},
                  {"Run generation", "loading the model", 0.12, 0.15},
                  {"Starting data augmentation", "preparing the controls", 0.15, 0.17},
                  {"Completed data augmentation", "rendering", 0.17, 0.93},
                  {"Finish generation", "rendered", 0.93, 0.94},
                  {"Run guardrail on generated videos", "checking the video", 0.94, 0.98},
                  {"Saved video to", "saved", 1, 1}};
  rules.rounds_phase = "rendering";
  rules.bar_name = "clip";
  rules.parts = {{"Starting latent encoding", "encoding the controls", 0},
                 {"Starting diffusion sampling", "sampling", 0.05},
                 {"Completed diffusion sampling", "sampled", 0.92},
                 {"Starting VAE decode", "decoding", 0.92},
                 {"Completed VAE decode", "decoded", 0.99}};
  return rules;
}

std::vector<std::string> Transfer1Durations() {
  return {"num_steps", "distilled", "av_sample", "upsample_prompt", "launcher"};
}

// VIDEO_RES_SIZE_INFO of the model's inference_utils.py.
std::vector<std::array<int, 2>> Transfer1Sizes() {
  return {{1280, 704}, {960, 704}, {960, 960}, {704, 960}, {704, 1280}};
}

}  // namespace cosmos::plugins
