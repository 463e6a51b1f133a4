// The stage that makes the video of a shot. Models are named by `model`; so far there is `playblast`.
#include <cosmos/plugin.hpp>

#include "common/frame_progress.h"
#include "inference/playblast.h"

namespace cosmos::plugins {
namespace {

// The schema of one control.
sdk::Json Control(const char* summary, const char* video, bool needs_video) {
  sdk::Json schema = sdk::Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "weight": {
        "type": "number", "minimum": 0, "default": 1,
        "description": "The control's share, relative to the other controls and to the input video, which has 1. 0 leaves the control out."
      },
      "video": {"type": "string", "format": "input-file", "minLength": 1}
    }
  })json");
  schema["description"] = summary;
  schema["properties"]["video"]["description"] = video;
  if (needs_video) schema["required"] = {"video"};
  return schema;
}

class Inference : public sdk::JobStage {
 public:
  sdk::Description Describe() const override {
    sdk::Description description;
    description.id = "inference";
    description.version = "1.0.0";
    description.summary = "Makes the video of a shot from a prompt, an input video and weighted control videos.";
    description.prompt_name = sdk::Description::PromptName::kWorkflow;
    description.folder = "{prompt_name}";
    description.parameters = sdk::Json::parse(R"json({
      "type": "object",
      "required": ["model", "prompt", "input_video"],
      "additionalProperties": false,
      "properties": {
        "model": {
          "enum": ["playblast"],
          "description": "playblast: a quick proxy of the shot, mixed by ffmpeg on the CPU; not a generated video."
        },
        "prompt": {
          "type": "string", "minLength": 1, "maxLength": 20000,
          "description": "What the shot shows. Reaches the video's metadata and the record unchanged."
        },
        "negative_prompt": {
          "type": "string", "maxLength": 20000, "default": "",
          "description": "What the shot must not show."
        },
        "seed": {"type": "integer", "minimum": 0, "default": 1, "description": "The seed of the model's noise."},
        "input_video": {
          "type": "string", "format": "input-file", "minLength": 1,
          "description": "The video of the shot, whose size, rate and length the result has unless told otherwise."
        },
        "controls": {
          "type": "object", "default": {}, "additionalProperties": false,
          "description": "What guides the picture, beside the prompt.",
          "properties": {}
        },
        "fps": {
          "type": "number", "exclusiveMinimum": 0, "maximum": 240,
          "description": "Frames a second of the result. Default: the input video's."
        },
        "max_frames": {"type": "integer", "minimum": 1, "description": "The most frames to make. Default: no limit."},
        "width": {
          "type": "integer", "minimum": 16, "maximum": 8192, "multipleOf": 2,
          "description": "Width in pixels. Default: the input video's, or what keeps its shape when height is given."
        },
        "height": {
          "type": "integer", "minimum": 16, "maximum": 8192, "multipleOf": 2,
          "description": "Height in pixels. Default: the input video's, or what keeps its shape when width is given."
        }
      }
    })json");
    description.parameters["properties"]["controls"]["properties"] = {
        {"depth", Control("Distances.", "The depth video.", true)},
        {"edge", Control("Outlines.", "The edge video. Default: made from the input video by edge detection.", false)},
        {"seg", Control("What is what, in flat colours.", "The segmentation video.", true)},
        {"vis", Control("Colours and large shapes.",
                        "The blurred video. Default: made from the input video by blurring.", false)}};
    description.outputs = sdk::Json::parse(R"json({
      "type": "object",
      "properties": {
        "video": {"type": "string", "description": "The video, output.mp4."},
        "record": {"type": "string", "description": "What it was made with, output.json; \"proxy\": true for playblast."}
      }
    })json");
    return description;
  }

  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) override { return PlayblastJob(task, parameters); }

  void OnOutput(sdk::Task& task, std::string_view bytes) override { progress_.Read(task, bytes); }

 private:
  FrameProgress progress_{"rendering"};
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::Inference);
