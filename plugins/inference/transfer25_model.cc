#include "inference/transfer25_model.h"

#include <algorithm>

#include "common/model_launch.h"
#include "common/parameters.h"
#include "inference/cosmos25.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

// Names of the parameters that the duration of a job depends on.
std::vector<std::string> Durations() {
  return {"resolution", "num_video_frames_per_chunk", "num_steps", "distilled", "launcher"};
}

constexpr const char* kControls[] = {"edge", "vis", "depth", "seg"};
constexpr int kChunk = 93;  // frames that the model makes at a time
constexpr int kDistilledSteps = 4;
constexpr double kGpuMemory = 65.4;  // GB, as its documents say
constexpr int kLeastChunk = 13;      // below, a chunk has no motion to speak of

Json ControlSchema(const char* description) {
  Json schema = Json::parse(R"json({
    "type": "object", "additionalProperties": false,
    "properties": {
      "weight": {
        "type": "number", "minimum": 0, "maximum": 1, "default": 1,
        "description": "How strongly the video keeps to it. 0 leaves the control out; where all weights together are over 1 the model scales them down."
      },
      "video": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "The control's video. Default: the model computes it from the input video."
      },
      "mask": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "A video that is white where the control counts, and black elsewhere."
      },
      "mask_prompt": {
        "type": "string", "minLength": 1,
        "description": "Where the control counts: what the model is to find, such as `robot . table`. Either mask or mask_prompt."
      }
    },
    "not": {"required": ["mask", "mask_prompt"]},
    "x-hint": "give only one of mask and mask_prompt"
  })json");
  schema["description"] = description;
  return schema;
}

Json Strength(const char* description) {
  return {{"enum", {"very_low", "low", "medium", "high", "very_high"}},
          {"default", "medium"},
          {"description", description}};
}

Json ControlSpec(sdk::Task& task, const Json& given) {
  Json spec = {{"control_weight", given.value("weight", Json(1))}};
  if (const std::string video = Text(given, "video"); !video.empty()) spec["control_path"] = task.Input(video);
  if (const std::string mask = Text(given, "mask"); !mask.empty()) spec["mask_path"] = task.Input(mask);
  if (given.contains("mask_prompt")) spec["mask_prompt"] = Text(given, "mask_prompt");
  const std::pair<const char*, const char*> others[] = {
      {"threshold", "preset_edge_threshold"}, {"strength", "preset_blur_strength"}, {"prompt", "control_prompt"}};
  for (const auto& [name, theirs] : others) {
    if (given.contains(name)) spec[theirs] = Text(given, name);
  }
  return spec;
}

// Half of `frames`, of the form that the tokenizer takes whole: 4n + 1.
int HalfChunk(int frames) { return std::max(kLeastChunk, (frames / 2 - 1) / 4 * 4 + 1); }

// Frames, and the size of the input, which the model keeps or whose shape it takes.
sdk::VideoExpectation Expected(const Json& parameters) {
  auto expected = sdk::VideoExpectation::Like(Text(parameters, "input_video"));
  expected.frames = static_cast<int>(Number(parameters, "max_frames", 0));
  return expected;
}

Json KeyOf(const std::string& model, const Json& parameters) {
  return HistoryKey(model, parameters, Durations(), Expected(parameters));
}

// What the model makes of a sample, and what it must be like.
std::map<std::string, sdk::JobOutput> OutputsOf(const Json& parameters, const Json& sample) {
  std::map<std::string, sdk::JobOutput> outputs = Cosmos25Outputs();
  sdk::VideoExpectation expected = Expected(parameters);
  if (expected.frames == 1) {  // one frame is a picture
    outputs["video"] = {"output.jpg", "file", false, {}};
    return outputs;
  }
  const bool beside = IsOn(parameters, "show_control_condition") || IsOn(parameters, "show_input");
  if (!IsOn(parameters, "keep_input_resolution") || beside) expected.size_of.clear();
  outputs["video"] = {"output.mp4", "video", false, std::move(expected)};
  for (const char* name : kControls) {
    if (!sample.contains(name) || sample[name].contains("control_path")) continue;
    outputs[std::string(name) + "_control"] = {std::string("output_control_") + name + ".mp4", "video", true, {}};
  }
  return outputs;
}

constexpr const char* kFlags[] = {"offload_guardrail_models", "benchmark", "enable_parallel_tokenizer"};

// What the model is to make, as it reads it.
Json SampleOf(sdk::Task& task, const Json& parameters) {
  const std::string input = Text(parameters, "input_video");
  const bool distilled = IsOn(parameters, "distilled");
  Json sample = {{"prompt", Text(parameters, "prompt")}, {"video_path", task.Input(input)}};
  if (parameters.contains("negative_prompt")) sample["negative_prompt"] = Text(parameters, "negative_prompt");
  for (const char* name :
       {"seed", "guidance", "num_steps", "max_frames", "context_frame_index", "num_conditional_frames", "resolution",
        "show_control_condition", "show_input", "keep_input_resolution", "num_video_frames_per_chunk",
        "guided_generation_step_threshold", "guided_generation_foreground_labels"}) {
    if (parameters.contains(name)) sample[name] = parameters[name];
  }
  if (distilled && !sample.contains("num_steps")) sample["num_steps"] = kDistilledSteps;
  // The model reads it as a text.
  if (parameters.contains("sigma_max")) sample["sigma_max"] = Format(Number(parameters, "sigma_max", 0));
  if (const std::string image = Text(parameters, "image_context"); !image.empty())
    sample["image_context_path"] = task.Input(image);
  if (const std::string mask = Text(parameters, "guided_generation_mask"); !mask.empty()) {
    sample["guided_generation_mask"] = task.Input(mask);
  }
  if (HasOomStep(task, "fewer_frames")) {
    sample["num_video_frames_per_chunk"] =
        HalfChunk(static_cast<int>(Number(parameters, "num_video_frames_per_chunk", kChunk)));
  }
  const Json controls = parameters.value("controls", Json::object());
  int used = 0;
  for (const char* name : kControls) {
    if (!controls.is_object() || !controls.contains(name) || !controls.at(name).is_object()) continue;
    if (Number(controls.at(name), "weight", 1) <= 0) continue;
    ++used;
    sample[name] = ControlSpec(task, controls.at(name));
  }
  if (used == 0 && controls.is_object()) {
    throw sdk::StageFailure("invalid_input",
                            "cosmos-transfer2.5: all controls have weight 0; give one of them more, as "
                            "the model makes no video without any");
  }
  if (sample.contains("vis") && sample.contains("image_context_path")) {
    throw sdk::StageFailure("invalid_input",
                            "cosmos-transfer2.5: vis and image_context both say what the video looks "
                            "like; give only one of them");
  }
  return sample;
}

// The set-up of the model besides what both models of this generation have.
std::vector<std::string> Arguments(const Json& parameters) {
  const bool distilled = IsOn(parameters, "distilled");
  std::vector<std::string> more;
  if (distilled) more.insert(more.end(), {"--model", "edge/distilled"});
  if (const std::string mode = Text(parameters, "compile_tokenizer"); mode != "none") {
    more.insert(more.end(), {"--compile-tokenizer", mode});
  }
  if (parameters.contains("parallel_tokenizer_grid") && parameters["parallel_tokenizer_grid"].is_array()) {
    more.emplace_back("--parallel-tokenizer-grid");
    for (const Json& side : parameters["parallel_tokenizer_grid"]) more.push_back(side.dump());
  }
  return more;
}

void SetEnvironment(const Json& parameters, sdk::JobSpec* job) {
  if (IsOn(parameters, "distilled")) job->env["COSMOS_EXPERIMENTAL_CHECKPOINTS"] = "1";
}

sdk::JobNeeds Needs(const Json& parameters) {
  sdk::JobNeeds needs = Cosmos25Needs(
      parameters, IsOn(parameters, "distilled") ? "nvidia/Cosmos-Experimental" : "nvidia/Cosmos-Transfer2.5-2B");
  needs.videos = {{"input_video", Text(parameters, "input_video")}};
  needs.alike = true;
  needs.gpu_memory_gb = kGpuMemory;
  const Json controls = parameters.value("controls", Json::object());
  for (const char* name : kControls) {
    if (!controls.is_object() || !controls.contains(name) || !controls.at(name).is_object()) continue;
    const Json& given = controls.at(name);
    if (Number(given, "weight", 1) <= 0 || !given.contains("video")) continue;
    needs.videos.push_back({std::string("controls.") + name + ".video", Text(given, "video")});
  }
  return needs;
}

}  // namespace

const char* Transfer25Model::summary() const {
  return "NVIDIA's 2B model: a video from a prompt, an input video and up to four controls; 720p, in chunks of 93 "
         "frames.";
}

Json Transfer25Model::Parameters() const {
  Json schema = Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["prompt", "input_video", "controls"],
    "x-oom-steps": ["offload", "more_gpus", "fewer_frames"],
    "x-batch": {"vary": [
      "prompt", "negative_prompt", "input_video", "seed", "guidance", "num_steps", "max_frames", "context_frame_index",
      "image_context", "num_conditional_frames", "resolution", "sigma_max", "num_video_frames_per_chunk",
      "show_control_condition", "show_input", "keep_input_resolution", "guided_generation_mask",
      "guided_generation_step_threshold", "guided_generation_foreground_labels", "controls.*.weight", "controls.*.video",
      "controls.*.mask", "controls.*.mask_prompt", "controls.*.prompt", "controls.*.threshold", "controls.*.strength"
    ]},
    "not": {"required": ["context_frame_index", "image_context"]},
    "x-hint": "give only one of context_frame_index and image_context",
    "properties": {
      "input_video": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "The video of the shot, whose size and length the result has."
      },
      "controls": {
        "type": "object", "minProperties": 1, "additionalProperties": false, "properties": {},
        "description": "What guides the picture, beside the prompt."
      },
      "seed": {"type": "integer", "minimum": 0, "default": 2025, "description": "The seed of the noise."},
      "guidance": {
        "type": "integer", "minimum": 0, "maximum": 7, "default": 3, "description": "How closely the prompt is kept to."
      },
      "max_frames": {"type": "integer", "minimum": 1, "description": "Frames of the input video to use. Default: all."},
      "context_frame_index": {
        "type": "integer", "minimum": 1, "description": "The frame of the input video that the style is taken from."
      },
      "image_context": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "A picture that the style is taken from; not together with the vis control."
      },
      "num_conditional_frames": {
        "enum": [0, 1, 2], "default": 1, "description": "Frames that a chunk takes over from the one before."
      },
      "resolution": {"enum": ["480", "720"], "default": "720", "description": "The size the model works in."},
      "sigma_max": {
        "type": "number", "minimum": 0, "maximum": 200,
        "description": "Noise added to the input video; 200 leaves nothing of it. Default: the model's own."
      },
      "num_video_frames_per_chunk": {
        "type": "integer", "minimum": 1, "default": 93, "description": "Frames that the model makes at a time."
      },
      "show_control_condition": {
        "type": "boolean", "default": false, "description": "Whether the controls stand beside the result."
      },
      "show_input": {"type": "boolean", "default": false, "description": "Whether the input stands beside the result."},
      "keep_input_resolution": {
        "type": "boolean", "default": true,
        "description": "Whether the result has the input's size, and not the one the model works in."
      },
      "guided_generation_mask": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "A mask of what is kept as in the input."
      },
      "guided_generation_step_threshold": {
        "type": "integer", "minimum": 0, "description": "Steps in which it is kept."
      },
      "guided_generation_foreground_labels": {
        "type": "array", "items": {"type": "integer"}, "description": "Labels of the mask that are kept."
      },
      "distilled": {
        "type": "boolean", "default": false,
        "description": "The distilled edge model: 4 steps, at most 93 frames, edge alone."
      },
      "offload_guardrail_models": {
        "type": "boolean", "default": false, "description": "Whether the guardrails leave the GPU after their work."
      },
      "benchmark": {"type": "boolean", "default": false, "description": "Whether the model measures its own times."},
      "compile_tokenizer": {
        "enum": ["none", "moderate", "aggressive"], "default": "none",
        "description": "Compiling pays from 30 videos on."
      },
      "enable_parallel_tokenizer": {
        "type": "boolean", "default": false, "description": "Whether several GPUs share the tokenizer's work."
      },
      "parallel_tokenizer_grid": {
        "type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2,
        "description": "How, in height and width."
      }
    },
    "if": {"properties": {"distilled": {"const": true}}, "required": ["distilled"]},
    "then": {"properties": {
      "max_frames": {"maximum": 93},
      "controls": {"propertyNames": {"const": "edge", "x-hint": "the distilled model has the control edge alone"}}
    }}
  })json");
  Json& controls = schema["properties"]["controls"]["properties"];
  controls["edge"] = ControlSchema("Outlines.");
  controls["edge"]["properties"]["threshold"] = Strength("Of the edges that the model computes; lower finds more.");
  controls["vis"] = ControlSchema("Colours and large shapes, of a blurred video.");
  controls["vis"]["properties"]["strength"] = Strength("Of the blur that the model computes.");
  controls["depth"] = ControlSchema("Distances; near is white.");
  controls["seg"] = ControlSchema("What is what, in flat colours.");
  controls["seg"]["properties"]["prompt"] = {
      {"type", "string"},
      {"minLength", 1},
      {"description", "What the model is to tell apart when it computes the control."}};
  schema["properties"].update(Cosmos25Parameters());
  Json& steps = schema["properties"]["num_steps"];
  steps.erase("default");
  steps["description"] = "Sampling steps. Default: 35, of the distilled model 4.";
  return schema;
}

sdk::JobSpec Transfer25Model::Build(sdk::Task& task, const Json& parameters) const {
  Json sample = SampleOf(task, parameters);
  const auto outputs = OutputsOf(parameters, sample);
  sdk::JobSpec job =
      Cosmos25Job(task, parameters, std::move(sample), {std::begin(kFlags), std::end(kFlags)}, Arguments(parameters));
  job.outputs = outputs;
  job.needs = Needs(parameters);
  job.needs.history = KeyOf(name(), parameters);
  SetEnvironment(parameters, &job);
  return job;
}

sdk::BatchSpec Transfer25Model::BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) const {
  sdk::BatchSpec batch;
  std::map<std::string, Json> samples;
  for (const sdk::BatchMember& member : members) {
    const std::string& key = member.context.instance;
    samples[key] = SampleOf(task, member.parameters);
    batch.members.push_back({key, OutputsOf(member.parameters, samples[key]), Cosmos25Marker(key)});
  }
  const Json& parameters = members.front().parameters;
  batch.job = Cosmos25Batch(task, parameters, samples, {std::begin(kFlags), std::end(kFlags)}, Arguments(parameters));
  SetEnvironment(parameters, &batch.job);
  return batch;
}

std::unique_ptr<LogReader> Transfer25Model::Reader(const Json& parameters, int clips) const {
  return std::make_unique<ModelProgress>(Cosmos25Progress(clips), KeyOf(name(), parameters));
}

}  // namespace cosmos::plugins
