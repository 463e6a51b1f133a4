#include "upscaling/cosmos_4k.h"

#include "common/model_launch.h"
#include "common/parameters.h"
#include "common/phase_timings.h"
#include "common/transfer1.h"

namespace cosmos::plugins {
namespace {

constexpr int kScale = 3;  // upscale_factor of the model's inference_utils.py

sdk::VideoExpectation Expected(const sdk::Json& parameters) {
  auto expected = sdk::VideoExpectation::Like(Text(parameters, "input"));
  for (const auto& [width, height] : Transfer1Sizes()) expected.sizes.push_back({kScale * width, kScale * height});
  return expected;
}

}  // namespace

sdk::Json Cosmos4kParameters() {
  sdk::Json schema = sdk::Json::parse(R"json({
    "additionalProperties": false,
    "required": ["input"],
    "x-oom-steps": ["offload", "more_gpus"],
    "properties": {
      "input": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "The video to enlarge: a file, or the output of a stage. Several are enlarged by a matrix."
      },
      "weight": {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.5,
        "description": "How closely the result keeps to the input; lower adds more detail of the model's own."
      },
      "prompt": {
        "type": "string", "minLength": 1, "maxLength": 20000,
        "description": "What the video shows. Default: the model's own words for a sharp picture."
      },
      "num_steps": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10, "description": "Sampling steps."}
    }
  })json");
  schema["properties"].update(Transfer1Parameters());
  return schema;
}

sdk::Json Cosmos4kKey(const sdk::Json& parameters) {
  return HistoryKey("cosmos-4k", parameters, Transfer1Durations(), Expected(parameters));
}

sdk::JobSpec Cosmos4kJob(sdk::Task& task, const sdk::Json& parameters) {
  const std::string input = Text(parameters, "input");
  sdk::Json spec = {{"input_video_path", task.Input(input)},
                    {"upscale", {{"control_weight", parameters.value("weight", sdk::Json(0.5))}}}};
  if (parameters.contains("prompt")) spec["prompt"] = Text(parameters, "prompt");
  sdk::JobSpec job = Transfer1Job(task, parameters, spec, {});
  job.outputs["video"].expect = Expected(parameters);
  job.needs = Transfer1Needs(parameters, "Cosmos-Transfer1-7B", {"4kupscaler_control.pt"});
  job.needs.videos = {{"input", input}};
  job.needs.history = Cosmos4kKey(parameters);
  AddLaunchNeeds(parameters, &job.needs);
  return job;
}

}  // namespace cosmos::plugins
