#include "inference/transfer1_model.h"

#include "common/model_launch.h"
#include "common/model_progress.h"
#include "common/parameters.h"
#include "common/transfer1.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr int kMostFrames = 5000;  // NUM_MAX_FRAMES of the model's inference_utils.py

// The controls (hints) of the script, in the order in which messages name them.
struct Hint {
  const char* name;
  const char* description;
  bool computed;  // by the model from the input video, when no control video is given
};
constexpr Hint kHints[] = {
    {"vis", "Colours and large shapes, of a blurred video.", true},
    {"edge", "Outlines.", true},
    {"depth", "Distances; near is white.", true},
    {"seg", "What is what, in flat colours.", true},
    {"keypoint", "The poses of people.", false},
    {"hdmap", "Lanes and objects of a road, for the driving model (av_sample).", false},
    {"lidar", "Points of a lidar, for the driving model (av_sample).", false},
};

Json ControlSchema(const Hint& hint) {
  Json schema = Json::parse(R"json({
    "type": "object", "additionalProperties": false,
    "properties": {
      "weight": {
        "type": "number", "minimum": 0, "default": 1,
        "description": "How much it counts, usually 0 to 1. 0 leaves the control out; where all weights together are over 1 the model scales them down."
      },
      "weight_map": {
        "type": "string", "format": "input-file", "pattern": "\\.pt$", "x-hint": "name a tensor file that ends in .pt",
        "description": "Weights for each place and frame, a tensor file (.pt), instead of `weight`."
      },
      "video": {"type": "string", "format": "input-file", "minLength": 1},
      "weight_prompt": {
        "type": "string", "minLength": 1,
        "description": "Where the control counts: what the model is to find in the input video, such as `robotic arms . gloves`."
      },
      "checkpoint": {"type": "string", "minLength": 1, "description": "Another checkpoint for it, on the target."}
    }
  })json");
  schema["description"] = hint.description;
  schema["properties"]["video"]["description"] =
      hint.computed ? "The control's video. Default: the model computes it from the input video."
                    : "The control's video.";
  if (!hint.computed) schema["required"] = {"video"};
  if (std::string_view(hint.name) == "seg") {
    schema["properties"]["prompt"] = {
        {"type", "string"},
        {"minLength", 1},
        {"description", "What the model is to tell apart when it computes the control, such as `woman . cup`."}};
  }
  return schema;
}

Json ControlSpec(sdk::Task& task, const Json& given) {
  Json spec = {{"control_weight", given.value("weight", Json(1))}};
  if (const std::string map = Text(given, "weight_map"); !map.empty()) spec["control_weight"] = task.Input(map);
  if (const std::string video = Text(given, "video"); !video.empty()) spec["input_control"] = task.Input(video);
  if (given.contains("weight_prompt")) spec["control_weight_prompt"] = Text(given, "weight_prompt");
  if (given.contains("prompt")) spec["input_control_prompt"] = Text(given, "prompt");
  if (given.contains("checkpoint")) spec["ckpt_path"] = Text(given, "checkpoint");
  return spec;
}

// A control without weight is left out, as if it were not there.
bool TakesPart(const Json& controls, const char* name) {
  if (!controls.is_object() || !controls.contains(name) || !controls.at(name).is_object()) return false;
  const Json& given = controls.at(name);
  return Number(given, "weight", 1) > 0 || given.contains("weight_map");
}

// The result is as long as the shortest of them, and has the shape of the first.
std::vector<sdk::NeededVideo> VideosOf(const Json& parameters) {
  std::vector<sdk::NeededVideo> videos;
  if (const std::string input = Text(parameters, "input_video"); !input.empty()) {
    videos.push_back({"input_video", input});
  }
  const Json controls = parameters.value("controls", Json::object());
  for (const Hint& hint : kHints) {
    if (!TakesPart(controls, hint.name)) continue;
    const std::string video = Text(controls.at(hint.name), "video");
    if (!video.empty()) videos.push_back({std::string("controls.") + hint.name + ".video", video});
  }
  return videos;
}

sdk::VideoExpectation Expected(const Json& parameters) {
  sdk::VideoExpectation expected;
  for (const sdk::NeededVideo& video : VideosOf(parameters)) expected.as_long_as.push_back(video.path);
  if (expected.as_long_as.empty()) return expected;
  expected.frames = kMostFrames;
  expected.size_of = expected.as_long_as.front();
  expected.sizes = Transfer1Sizes();
  return expected;
}

// What the controls that take part in `spec` need. The distilled model's own checkpoint is brought by the script.
sdk::JobNeeds Needs(const Json& parameters, const Json& spec) {
  const bool driving = IsOn(parameters, "av_sample");
  const bool distilled = IsOn(parameters, "distilled");
  std::vector<std::string> checkpoints;
  std::vector<std::string> others;
  for (const Hint& hint : kHints) {
    if (!spec.contains(hint.name)) continue;
    const std::string name = hint.name;
    const Json& given = parameters.at("controls").at(name);
    if (given.contains("checkpoint")) {
      others.push_back(Text(given, "checkpoint"));
    } else if (!distilled && driving == (name == "hdmap" || name == "lidar")) {
      checkpoints.push_back(name + "_control.pt");
    }
  }
  const std::string model = driving ? "Cosmos-Transfer1-7B-Sample-AV" : "Cosmos-Transfer1-7B";
  sdk::JobNeeds needs = Transfer1Needs(parameters, distilled ? "" : model, checkpoints);
  needs.files.insert(needs.files.end(), others.begin(), others.end());
  needs.videos = VideosOf(parameters);
  needs.alike = true;
  AddLaunchNeeds(parameters, &needs);
  return needs;
}

// The script itself says less, and only when the models have been loaded.
[[noreturn]] void Refuse(const std::string& why) {
  throw sdk::StageFailure("invalid_input", "cosmos-transfer1: " + why);
}

// One clip: its spec, and what follows from it.
struct Clip {
  Json spec;
  std::vector<std::string> computed;  // the controls that the model computes
};

Clip ReadClip(sdk::Task& task, const Json& parameters) {
  Clip clip;
  Json& spec = clip.spec;
  spec = {{"prompt", Text(parameters, "prompt")}};
  if (parameters.contains("negative_prompt")) spec["negative_prompt"] = Text(parameters, "negative_prompt");
  const std::string input = Text(parameters, "input_video");
  if (!input.empty()) spec["input_video_path"] = task.Input(input);
  const Json controls = parameters.value("controls", Json::object());
  const bool distilled = IsOn(parameters, "distilled");
  int used = 0;
  for (const Hint& hint : kHints) {
    if (!TakesPart(controls, hint.name)) continue;
    const Json& given = controls.at(hint.name);
    ++used;
    if (distilled && std::string_view(hint.name) != "edge" && !given.contains("checkpoint")) {
      Refuse(std::string("the distilled model has no checkpoint for '") + hint.name + "'; give controls." + hint.name +
             ".checkpoint, or distilled: false");
    }
    spec[hint.name] = ControlSpec(task, given);
    if (Text(given, "video").empty()) clip.computed.emplace_back(hint.name);
  }
  if (used == 0 && controls.is_object()) {
    Refuse("all controls have weight 0; give one of them more, as the model makes no video without any");
  }
  if (distilled && IsOn(parameters, "av_sample")) {
    Refuse("there is no distilled driving model; give only one of distilled and av_sample");
  }
  if (parameters.contains("regional_prompts") && parameters["regional_prompts"].is_array()) {
    for (const Json& region : parameters["regional_prompts"]) {
      spec["regional_prompts"].push_back(
          {{"prompt", Text(region, "prompt")}, {"region_definitions_path", task.Input(Text(region, "region"))}});
    }
  }
  return clip;
}

// The script's arguments besides those that its upscaler has too.
std::vector<std::string> Arguments(const Json& parameters) {
  std::vector<std::string> more;
  for (const char* name : {"blur_strength", "canny_threshold"}) {
    more.insert(more.end(), {std::string("--") + name, Text(parameters, name)});
  }
  more.insert(more.end(), {"--num_input_frames", Format(Number(parameters, "num_input_frames", 1))});
  const std::pair<const char*, const char*> flags[] = {
      {"av_sample", "--is_av_sample"}, {"distilled", "--use_distilled"}, {"upsample_prompt", "--upsample_prompt"}};
  for (const auto& [name, flag] : flags) {
    if (IsOn(parameters, name)) more.emplace_back(flag);
  }
  return more;
}

std::map<std::string, sdk::JobOutput> OutputsOf(const Clip& clip, const Json& parameters, const char* prompt_file) {
  std::map<std::string, sdk::JobOutput> outputs = Transfer1Outputs(parameters, prompt_file);
  outputs["video"].expect = Expected(parameters);
  for (const std::string& hint : clip.computed) {
    outputs[hint + "_control"] = {hint + "_input_control_0.mp4", "video", true, {}};
  }
  return outputs;
}

Json KeyOf(const std::string& model, const Json& parameters) {
  return HistoryKey(model, parameters, Transfer1Durations(), Expected(parameters));
}

}  // namespace

const char* Transfer1Model::summary() const {
  return "NVIDIA's 7B model: a video from a prompt, an input video and up to seven weighted controls; 1280x704 and its "
         "like.";
}

Json Transfer1Model::Parameters() const {
  Json schema = Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["prompt", "controls"],
    "x-oom-steps": ["offload", "more_gpus"],
    "x-batch": {
      "vary": ["prompt", "input_video", "controls.*.video"], "distinct": ["prompt"],
      "unless": ["upsample_prompt", "save_input_noise"]
    },
    "properties": {
      "prompt": {"type": "string", "minLength": 1, "maxLength": 20000, "description": "What the shot shows."},
      "negative_prompt": {
        "type": "string", "minLength": 1, "maxLength": 20000,
        "description": "What the shot must not show. Default: the model's own, against the look of games."
      },
      "input_video": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "The video of the shot. Without it sigma_max is 80 or more, and each control has a video."
      },
      "controls": {
        "type": "object", "minProperties": 1, "additionalProperties": false, "properties": {},
        "description": "What guides the picture, beside the prompt."
      },
      "regional_prompts": {
        "type": "array", "minItems": 1,
        "description": "Prompts for parts of the picture.",
        "items": {
          "type": "object", "additionalProperties": false, "required": ["prompt", "region"],
          "properties": {
            "prompt": {"type": "string", "minLength": 1, "description": "What is there."},
            "region": {
              "type": "string", "format": "input-file", "minLength": 1,
              "description": "Where: a mask (.pt, or a video) or a .json with a box."
            }
          }
        }
      },
      "num_steps": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 35, "description": "Sampling steps."},
      "num_input_frames": {"enum": [1], "default": 1, "description": "Frames that a clip takes over from the one before."},
      "blur_strength": {
        "enum": ["very_low", "low", "medium", "high", "very_high"], "default": "medium",
        "description": "Of the vis control that the model computes."
      },
      "canny_threshold": {
        "enum": ["very_low", "low", "medium", "high", "very_high"], "default": "medium",
        "description": "Of the edge control that the model computes; lower finds more edges."
      },
      "av_sample": {"type": "boolean", "default": false, "description": "The driving model, for hdmap and lidar."},
      "distilled": {
        "type": "boolean", "default": false,
        "description": "The distilled model, which has a checkpoint for edge alone (others need `checkpoint`)."
      },
      "upsample_prompt": {
        "type": "boolean", "default": false,
        "description": "Lets the model write a longer prompt first. With several GPUs it times out there: use a stage of prompt-enhancement."
      },
      "offload_prompt_upsampler": {
        "type": "boolean", "default": false, "description": "Whether the prompt upsampler leaves the GPU after its work."
      }
    },
    "if": {"required": ["input_video"]},
    "else": {"properties": {
      "sigma_max": {"minimum": 80, "x-hint": "without input_video it must be 80 or more, as there is nothing to add noise to"},
      "controls": {"additionalProperties": {"required": ["video"]}}
    }}
  })json");
  schema["properties"].update(Transfer1Parameters());
  for (const Hint& hint : kHints) schema["properties"]["controls"]["properties"][hint.name] = ControlSchema(hint);
  return schema;
}

sdk::JobSpec Transfer1Model::Build(sdk::Task& task, const Json& parameters) const {
  const Clip clip = ReadClip(task, parameters);
  sdk::JobSpec job = Transfer1Job(task, parameters, clip.spec, Arguments(parameters));
  job.outputs = OutputsOf(clip, parameters, "output.txt");
  job.needs = Needs(parameters, clip.spec);
  job.needs.history = KeyOf(name(), parameters);
  return job;
}

// The script has one spec for all clips, and takes prompt, input and control videos of each from a line of its own.
sdk::BatchSpec Transfer1Model::BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) const {
  sdk::BatchSpec batch;
  std::vector<Json> lines;
  std::vector<std::string> keys;
  Json spec;
  for (const sdk::BatchMember& member : members) {
    const Clip clip = ReadClip(task, member.parameters);
    if (spec.is_null()) spec = clip.spec;
    Json line = {{"prompt", clip.spec.at("prompt")}};
    if (clip.spec.contains("input_video_path")) line["visual_input"] = clip.spec["input_video_path"];
    for (const Hint& hint : kHints) {
      if (!clip.spec.contains(hint.name)) continue;
      line["control_overrides"][hint.name]["input_control"] = clip.spec[hint.name].value("input_control", Json());
    }
    lines.push_back(std::move(line));
    keys.push_back(member.context.instance);
    batch.members.push_back({keys.back(), OutputsOf(clip, member.parameters, "prompt.txt"), "running preprocessor"});
  }
  for (const Hint& hint : kHints) {
    if (spec.contains(hint.name)) spec[hint.name].erase("input_control");
  }
  const Json& parameters = members.front().parameters;
  batch.job = Transfer1Batch(task, parameters, spec, Arguments(parameters), lines, keys);
  return batch;
}

std::unique_ptr<LogReader> Transfer1Model::Reader(const Json& parameters, int clips) const {
  return std::make_unique<ModelProgress>(Transfer1Progress(clips), KeyOf(name(), parameters));
}

}  // namespace cosmos::plugins
