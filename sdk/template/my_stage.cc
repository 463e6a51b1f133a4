#include <cosmos/plugin.hpp>

#include <string>

namespace {

using cosmos::sdk::Description;
using cosmos::sdk::JobSpec;
using cosmos::sdk::Json;
using cosmos::sdk::Task;

// Copies a video without encoding it again, leaving its sound out: one durable job on the stage's target.
class MyStage : public cosmos::sdk::JobStage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "my-stage";
    description.version = "0.1.0";
    description.summary = "Copies a video without its sound.";
    description.parameters = Json::parse(R"({
      "type": "object",
      "required": ["input"],
      "additionalProperties": false,
      "properties": {
        "input": {"type": "string", "format": "input-file", "description": "The video to copy."}
      }
    })");
    description.outputs = Json::parse(R"({
      "type": "object",
      "properties": {"video": {"type": "string", "description": "The copy."}}
    })");
    return description;
  }

  // Make the job from the parameters alone: when a run is resumed, this is called again.
  JobSpec Build(Task& task, const Json& parameters) override {
    JobSpec spec;
    spec.argv =
        cosmos::sdk::FfmpegCommand({{"-y"},
                                    cosmos::sdk::MediaInput(task.Input(parameters.at("input").get<std::string>())),
                                    {"-an", "-c", "copy", "file:" + task.OutputFolder() + "/output.mp4"}});
    spec.outputs["video"] = {"output.mp4", "video", false};
    return spec;
  }
};

}  // namespace

COSMOS_PLUGIN(MyStage);
