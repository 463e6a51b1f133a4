// The stage that enlarges videos. The back end is named by `backend`; each has parameters of its own.
#include <cosmos/plugin.hpp>

#include <memory>

#include "common/choice_schema.h"
#include "common/frame_progress.h"
#include "common/model_progress.h"
#include "common/transfer1.h"
#include "upscaling/cosmos_4k.h"
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
    description.optional_services = {"cosmos.history/1"};
    description.parameters =
        ChoiceSchema("backend", "lanczos",
                     {{"lanczos", "ffmpeg's lanczos filter, on the CPU.", LanczosParameters()},
                      {"cosmos-4k", "the 4K upscaler of cosmos-transfer1, on GPUs.", Cosmos4kParameters()}});
    description.outputs = sdk::Json::parse(R"json({
      "type": "object",
      "properties": {
        "video": {
          "type": ["string", "array"], "items": {"type": "string"},
          "description": "The enlarged video, output.mp4; a list in the order of the inputs when `input` is a list."
        },
        "prompt_file": {"type": "string", "description": "cosmos-4k: the prompt as the model used it."},
        "noise": {"type": "string", "description": "cosmos-4k: the noise, with save_input_noise."}
      }
    })json");
    return description;
  }

  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) override {
    const bool by_model = parameters.at("backend") == "cosmos-4k";
    if (by_model) {
      reader_ = std::make_unique<ModelProgress>(Transfer1Progress(), Cosmos4kKey(parameters));
    } else {
      reader_ = std::make_unique<FrameProgress>("upscaling", LanczosKey(parameters));
    }
    reader_->Begin(task.context());
    return by_model ? Cosmos4kJob(task, parameters) : LanczosJob(task, parameters);
  }

  void OnOutput(sdk::Task& task, std::string_view bytes) override { reader_->Read(task, bytes); }

  sdk::Json Outputs(sdk::Task& task, const sdk::Json& parameters, sdk::Json files) override {
    reader_->Succeed(task);
    if (parameters.at("input").is_string()) return files;
    const std::size_t count = InputsOf(parameters).size();
    sdk::Json videos = sdk::Json::array();
    for (std::size_t i = 0; i < count; ++i) videos.push_back(files.at(OutputName(i, count)));
    return {{"video", videos}};
  }

 private:
  std::unique_ptr<LogReader> reader_;
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::Upscaling);
