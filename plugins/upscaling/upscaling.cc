// The stage that enlarges videos. Back ends are named by `backend`; so far there is `lanczos`.
#include <cosmos/plugin.hpp>

#include "common/frame_progress.h"
#include "upscaling/lanczos.h"

namespace cosmos::plugins {
namespace {

class Upscaling : public sdk::JobStage {
 public:
  sdk::Description Describe() const override {
    sdk::Description description;
    description.id = "upscaling";
    description.version = "1.0.0";
    description.summary = "Enlarges a video, or each of a list of videos.";
    description.prompt_name = sdk::Description::PromptName::kWorkflow;
    description.folder = "{prompt_name}_upscaled";
    description.parameters = sdk::Json::parse(R"json({
      "type": "object",
      "required": ["input"],
      "additionalProperties": false,
      "properties": {
        "input": {
          "type": ["string", "array"], "format": "input-file", "minLength": 1,
          "minItems": 1, "items": {"type": "string", "format": "input-file", "minLength": 1},
          "description": "The video to enlarge, or a list of videos, such as the output of a stage with a matrix."
        },
        "backend": {
          "enum": ["lanczos"], "default": "lanczos",
          "description": "lanczos: ffmpeg's lanczos filter, on the CPU."
        },
        "scale": {
          "type": "number", "minimum": 1, "maximum": 16, "default": 3,
          "description": "How many times as wide and as high. Not used when width or height is given."
        },
        "width": {
          "type": "integer", "minimum": 16, "maximum": 16384, "multipleOf": 2,
          "description": "Width in pixels. Default: by scale, or what keeps the shape when height is given."
        },
        "height": {
          "type": "integer", "minimum": 16, "maximum": 16384, "multipleOf": 2,
          "description": "Height in pixels. Default: by scale, or what keeps the shape when width is given."
        },
        "weight": {
          "type": "number", "minimum": 0, "maximum": 1, "default": 0.5,
          "description": "How much detail is added, 0 to 1. lanczos takes it as the strength of sharpening; 0 is none."
        },
        "crf": {
          "type": "number", "minimum": 0, "maximum": 51, "default": 18,
          "description": "Quality of the x264 encoding: 0 is lossless, 51 the worst."
        }
      }
    })json");
    description.outputs = sdk::Json::parse(R"json({
      "type": "object",
      "properties": {
        "video": {
          "type": ["string", "array"], "items": {"type": "string"},
          "description": "The enlarged video, output.mp4; a list in the order of the inputs when `input` is a list."
        }
      }
    })json");
    return description;
  }

  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) override { return LanczosJob(task, parameters); }

  void OnOutput(sdk::Task& task, std::string_view bytes) override { progress_.Read(task, bytes); }

  sdk::Json Outputs(sdk::Task&, const sdk::Json& parameters, sdk::Json files) override {
    if (parameters.at("input").is_string()) return files;
    const std::size_t count = InputsOf(parameters).size();
    sdk::Json videos = sdk::Json::array();
    for (std::size_t i = 0; i < count; ++i) videos.push_back(files.at(OutputName(i, count)));
    return {{"video", videos}};
  }

 private:
  FrameProgress progress_{"upscaling"};
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::Upscaling);
