#include "inference/predict25_model.h"

#include <algorithm>
#include <stdexcept>

#include "common/model_launch.h"
#include "common/parameters.h"
#include "inference/cosmos25.h"
#include "inference/video_server.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

// Names of the parameters that the duration of a job depends on.
std::vector<std::string> Durations() {
  return {"resolution", "num_output_frames", "num_steps", "checkpoint", "launcher"};
}

// HEIGHT and WIDTH of `resolution`, "720,1280"; zeros for "none".
std::array<int, 2> HeightAndWidth(const std::string& resolution) {
  const std::size_t comma = resolution.find(',');
  if (comma == resolution.npos) return {0, 0};
  return {std::atoi(resolution.c_str()), std::atoi(resolution.c_str() + comma + 1)};
}

constexpr int kFrames = 77;
constexpr const char* kCheckpoint = "2B/post-trained";

// What says how the model itself is set up, and means nothing to a server that has it loaded.
constexpr const char* kOwnOnly[] = {"repo",
                                    "setup",
                                    "checkpoint",
                                    "checkpoint_path",
                                    "experiment",
                                    "config_file",
                                    "context_parallel_size",
                                    "disable_guardrails",
                                    "keep_going",
                                    "profile",
                                    "enable_autoregressive",
                                    "chunk_size",
                                    "chunk_overlap",
                                    "offload_diffusion_model",
                                    "offload_tokenizer",
                                    "offload_text_encoder",
                                    "offload_guardrail_models"};

int FramesToMake(const sdk::Task& task, const Json& parameters) {
  const int frames = static_cast<int>(Number(parameters, "num_output_frames", kFrames));
  return HasOomStep(task, "fewer_frames") ? std::max(1, (frames / 2 - 1) / 4 * 4 + 1) : frames;
}

sdk::JobSpec ServerJob(sdk::Task& task, const Json& parameters) {
  VideoServerRequest request;
  request.server = Text(parameters, "server");
  const auto [height, width] = HeightAndWidth(Text(parameters, "resolution"));
  request.fields = {{"prompt", Text(parameters, "prompt")},
                    {"seed", Format(Number(parameters, "seed", 0))},
                    {"guidance_scale", Format(Number(parameters, "guidance", 7))},
                    {"num_inference_steps", Format(Number(parameters, "num_steps", 35))},
                    {"num_frames", Format(FramesToMake(task, parameters))}};
  if (parameters.contains("negative_prompt")) request.fields["negative_prompt"] = Text(parameters, "negative_prompt");
  if (width > 0) request.fields.insert({{"width", Format(width)}, {"height", Format(height)}});
  if (const std::string input = Text(parameters, "input"); !input.empty()) request.input = task.Input(input);
  return VideoServerJob(task, request);
}

const std::vector<std::string> kFlags = {"offload_diffusion_model", "offload_tokenizer", "offload_text_encoder",
                                         "offload_guardrail_models"};

Json SampleOf(sdk::Task& task, const Json& parameters) {
  Json sample = {{"prompt", Text(parameters, "prompt")}};
  if (parameters.contains("negative_prompt")) sample["negative_prompt"] = Text(parameters, "negative_prompt");
  for (const char* name : {"inference_type", "seed", "guidance", "num_steps", "resolution", "enable_autoregressive",
                           "chunk_size", "chunk_overlap"}) {
    if (parameters.contains(name)) sample[name] = parameters[name];
  }
  sample["num_output_frames"] = FramesToMake(task, parameters);
  if (const std::string input = Text(parameters, "input"); !input.empty()) sample["input_path"] = task.Input(input);
  return sample;
}

std::vector<std::string> Arguments(const sdk::Task& task, const Json& parameters) {
  std::vector<std::string> more = {"--model",
                                   parameters.contains("checkpoint") ? Text(parameters, "checkpoint") : kCheckpoint};
  // The one flag that is on unless it is said otherwise.
  const bool keep = parameters.value("offload_guardrail_models", Json(true)) == false;
  if (keep && !HasOomStep(task, "offload")) more.emplace_back("--no-offload-guardrail-models");
  return more;
}

// What the model makes, and what it must be like.
std::map<std::string, sdk::JobOutput> OutputsOf(const sdk::Task& task, const Json& parameters) {
  std::map<std::string, sdk::JobOutput> outputs = Cosmos25Outputs();
  outputs["video"] = {"output.mp4", "video", false, {}};
  if (parameters.value("enable_autoregressive", Json(false)) != true) {
    outputs["video"].expect.frames = FramesToMake(task, parameters);
  }
  return outputs;
}

// A picture is a video of one frame.
std::vector<sdk::NeededVideo> VideosOf(const Json& parameters) {
  const std::string input = Text(parameters, "input");
  if (input.empty()) return {};
  return {{"input", input}};
}

}  // namespace

const char* Predict25Model::summary() const {
  return "NVIDIA's world model: a video from a prompt alone, from a picture, or going on from a video.";
}

Json Predict25Model::Parameters() const {
  Json schema = Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["prompt"],
    "x-oom-steps": ["offload", "more_gpus", "fewer_frames"],
    "x-batch": {
      "vary": [
        "prompt", "negative_prompt", "inference_type", "input", "seed", "guidance", "num_steps", "num_output_frames",
        "resolution", "enable_autoregressive", "chunk_size", "chunk_overlap"
      ],
      "unless": ["server"]
    },
    "properties": {
      "inference_type": {
        "enum": ["text2world", "image2world", "video2world"], "default": "text2world",
        "description": "What it starts from: the prompt alone, a picture, or a video."
      },
      "input": {
        "type": "string", "format": "input-file", "pattern": "\\.(png|jpg|jpeg|webp|mp4)$",
        "x-hint": "name a .png, .jpg, .jpeg, .webp or .mp4 file",
        "description": "The picture or the video it starts from."
      },
      "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "The seed of the noise."},
      "guidance": {
        "type": "integer", "minimum": 0, "maximum": 7, "default": 7, "description": "How closely the prompt is kept to."
      },
      "num_output_frames": {"type": "integer", "minimum": 1, "default": 77, "description": "Frames to make."},
      "resolution": {
        "type": "string", "pattern": "^(none|[0-9]+,[0-9]+)$", "x-hint": "write HEIGHT,WIDTH, such as 704,1280, or none",
        "default": "none", "description": "HEIGHT,WIDTH in pixels; none: the model's own."
      },
      "enable_autoregressive": {
        "type": "boolean", "default": false, "description": "Whether a long video is made in chunks. Default: false."
      },
      "chunk_size": {"type": "integer", "minimum": 1, "default": 77, "description": "Frames of a chunk. Default: 77."},
      "chunk_overlap": {
        "type": "integer", "minimum": 0, "default": 1, "description": "Frames that a chunk takes over from the one before. Default: 1."
      },
      "checkpoint": {
        "enum": ["2B/post-trained", "2B/pre-trained", "14B/post-trained", "14B/pre-trained"], "default": "2B/post-trained",
        "description": "Which of the models. Default: 2B/post-trained."
      },
      "offload_diffusion_model": {
        "type": "boolean", "default": false, "description": "Whether the diffusion model leaves the GPU after its work."
      },
      "offload_tokenizer": {
        "type": "boolean", "default": false, "description": "Whether the tokenizer leaves the GPU after its work."
      },
      "offload_text_encoder": {
        "type": "boolean", "default": false, "description": "Whether the text encoder leaves the GPU after its work."
      },
      "offload_guardrail_models": {
        "type": "boolean", "default": true, "description": "Whether the guardrails leave the GPU after their work. Default: true."
      },
      "server": {
        "type": "string", "pattern": "^https?://[^ ]+$", "x-hint": "write an address such as http://localhost:8091",
        "description": "With launcher http: the address of the server, as the target sees it."
      }
    },
    "if": {"properties": {"inference_type": {"const": "text2world"}}},
    "then": {"not": {"required": ["input"]}, "x-hint": "text2world starts from the prompt alone: remove input, or choose another inference_type"},
    "else": {"required": ["input"]}
  })json");
  schema["properties"].update(Cosmos25Parameters());
  Json& launcher = schema["properties"]["launcher"];
  launcher["enum"].push_back("http");
  launcher["description"] = launcher["description"].get<std::string>() +
                            " http: a server on which the model is loaded (vLLM-Omni's /v1/videos) makes the video.";
  Json with_server = {{"required", {"server"}}, {"properties", Json::object()}};
  for (const char* name : kOwnOnly) {
    schema["properties"][name].erase("default");  // given, it stands there
    with_server["properties"][name] = {{"not", Json::object()},
                                       {"x-hint", "remove it; with launcher http the set-up of the server counts"}};
  }
  schema["allOf"] = {
      {{"if", {{"properties", {{"launcher", {{"const", "http"}}}}}, {"required", {"launcher"}}}},
       {"then", with_server},
       {"else", {{"not", {{"required", {"server"}}}}, {"x-hint", "remove server, or give launcher: http"}}}}};
  return schema;
}

sdk::JobSpec Predict25Model::Build(sdk::Task& task, const Json& parameters) const {
  if (Text(parameters, "launcher") == "http") {
    sdk::JobSpec job = ServerJob(task, parameters);
    job.needs.videos = VideosOf(parameters);
    job.outputs["video"].expect.frames = FramesToMake(task, parameters);
    return job;
  }
  sdk::JobSpec job = Cosmos25Job(task, parameters, SampleOf(task, parameters), kFlags, Arguments(task, parameters));
  job.outputs = OutputsOf(task, parameters);
  const std::string size = Text(parameters, "checkpoint").substr(0, Text(parameters, "checkpoint").find('/'));
  job.needs = Cosmos25Needs(parameters, "nvidia/Cosmos-Predict2.5-" + size);
  job.needs.history = HistoryKey(name(), parameters, Durations());
  job.needs.videos = VideosOf(parameters);
  return job;
}

sdk::BatchSpec Predict25Model::BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) const {
  sdk::BatchSpec batch;
  std::map<std::string, Json> samples;
  for (const sdk::BatchMember& member : members) {
    const std::string& key = member.context.instance;
    if (Text(member.parameters, "launcher") == "http")
      throw std::logic_error("a server is asked for one video at a time");
    samples[key] = SampleOf(task, member.parameters);
    batch.members.push_back({key, OutputsOf(task, member.parameters), Cosmos25Marker(key)});
  }
  const Json& parameters = members.front().parameters;
  batch.job = Cosmos25Batch(task, parameters, samples, kFlags, Arguments(task, parameters));
  return batch;
}

std::unique_ptr<LogReader> Predict25Model::Reader(const Json& parameters, int clips) const {
  const bool server = Text(parameters, "launcher") == "http";
  return std::make_unique<ModelProgress>(server ? VideoServerProgress() : Cosmos25Progress(clips),
                                         HistoryKey(name(), parameters, Durations()));
}

}  // namespace cosmos::plugins
