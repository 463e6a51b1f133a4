// The stage that makes the video of a shot. The model is named by `model`; each has parameters of its own.
#include <cosmos/plugin.hpp>

#include <memory>

#include "common/choice_schema.h"
#include "inference/model.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

Json ParametersOfAll() {
  std::vector<Choice> choices;
  for (const Model* model : Models()) choices.push_back({model->name(), model->summary(), model->Parameters()});
  return ChoiceSchema("model", "", choices);
}

class Inference : public sdk::BatchStage {
 public:
  sdk::Description Describe() const override {
    sdk::Description description;
    description.id = "inference";
    description.version = "1.0.0";
    description.summary = "Makes the video of a shot from a prompt, an input video and weighted control videos.";
    description.prompt_name = sdk::Description::PromptName::kWorkflow;
    description.folder = "{prompt_name}";
    description.parameters = ParametersOfAll();
    description.optional_services = {"cosmos.history/1"};
    description.outputs_from = "outputs";  // of model command
    description.outputs = Json::parse(R"json({
      "type": "object",
      "properties": {
        "video": {"type": "string", "description": "The video, output.mp4."},
        "record": {"type": "string", "description": "playblast: what it was made with, output.json; \"proxy\": true."},
        "prompt_file": {"type": "string", "description": "Cosmos: the prompt as the model used it."},
        "arguments": {"type": "string", "description": "Cosmos 2.5: the sample as the model understood it."},
        "console_log": {"type": "string", "description": "Cosmos 2.5: the model's own log."},
        "debug_log": {"type": "string", "description": "Cosmos 2.5: the same with more in it."},
        "noise": {"type": "string", "description": "cosmos-transfer1: the noise, with save_input_noise."},
        "vis_control": {"type": "string", "description": "The control that the model computed."},
        "edge_control": {"type": "string", "description": "The control that the model computed."},
        "depth_control": {"type": "string", "description": "The control that the model computed."},
        "seg_control": {"type": "string", "description": "The control that the model computed."}
      }
    })json");
    return description;
  }

  sdk::JobSpec Build(sdk::Task& task, const Json& parameters) override {
    const Model& model = ModelOf(parameters);
    reader_ = model.Reader(parameters, 1);
    reader_->Begin(task.context());
    return model.Build(task, parameters);
  }

  void OnOutput(sdk::Task& task, std::string_view bytes) override { reader_->Read(task, bytes); }

  Json Outputs(sdk::Task& task, const Json&, Json files) override {
    reader_->Succeed(task);
    return files;
  }

  sdk::BatchSpec BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) override {
    const Model& model = ModelOf(members.front().parameters);
    reader_ = model.Reader(members.front().parameters, static_cast<int>(members.size()));
    reader_->Begin(members.front().context);
    return model.BuildBatch(task, members);
  }

  void OnBatchOutput(sdk::Task& task, std::string_view bytes) override { reader_->Read(task, bytes); }

 private:
  static const Model& ModelOf(const Json& parameters) {
    const std::string name = parameters.at("model").get<std::string>();
    for (const Model* model : Models()) {
      if (model->name() == name) return *model;
    }
    throw sdk::StageFailure("invalid_input", "there is no model '" + name + "'");
  }

  std::unique_ptr<LogReader> reader_;
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::Inference);
