// The stage that turns an artist's prompt into one that a video model can work with. How is the business of the back
// end that `backend` names; the stage keeps both prompts and the record, and decides what a back end's failure means.
#include <chrono>
#include <cosmos/plugin.hpp>
#include <filesystem>
#include <fstream>

#include "common/parameters.h"
#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/interrupt.h"
#include "prompt_enhancement/openai_backend.h"
#include "prompt_enhancement/schema.h"
#include "prompt_enhancement/template_backend.h"
#include "prompt_enhancement/upsampler.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::LogLevel;

// Writes `record` below the stage's folder so that no half of it is ever seen, and gives its path.
std::string WriteRecord(sdk::Task& task, const Json& record) {
  const std::filesystem::path file = std::filesystem::path(task.Folder()) / "enhanced_prompt.json";
  const std::filesystem::path part = file.string() + ".part";
  std::ofstream stream(part, std::ios::binary);
  stream << record.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  stream.close();
  if (!stream) {
    throw sdk::StageFailure("disk_full", "cannot write " + part.string() + "; free space or make the folder writable");
  }
  std::filesystem::rename(part, file);
  return file.string();
}

class PromptEnhancement : public sdk::Stage {
 public:
  sdk::Description Describe() const override {
    sdk::Description description;
    description.id = "prompt-enhancement";
    description.version = "1.1.0";
    description.summary = "Turns an artist's prompt into one that a video model can work with, and keeps both.";
    description.folder = "prompt_enhancement";
    description.log = sdk::Description::LogName::kOperation;
    description.required_services = {"cosmos.files/1", "cosmos.store/1"};
    description.optional_services = {"cosmos.job/1"};  // most back ends start no job, and run from the beginning
    description.parameters = ParameterSchema();
    description.outputs = OutputSchema();
    return description;
  }

  Json Run(sdk::Task& task, const Json& parameters) override {
    const auto begin = std::chrono::steady_clock::now();
    const std::string prompt = Text(parameters, "prompt");
    const std::string negative_prompt = Text(parameters, "negative_prompt");
    task.Log(LogLevel::kInfo, "prompt: " + prompt);

    Json failure;
    Enhanced enhanced;
    try {
      enhanced = Enhance(task, parameters);
      task.Log(LogLevel::kInfo, "enhanced prompt: " + enhanced.prompt);
    } catch (const BackendFailure& error) {
      if (Text(parameters, "fallback") != "original") throw;
      interrupt_.Check();
      task.Log(LogLevel::kWarning, "the prompt was not enhanced: " + error.message());
      task.Log(LogLevel::kWarning, "going on with the artist's words, as `fallback: original` says");
      failure = {{"kind", error.kind()}, {"message", error.message()}};
      enhanced = {prompt, error.failure().value("record", Json::object())};
    }

    const std::string original_id = task.PutPrompt(prompt, negative_prompt);
    const std::string id =
        enhanced.prompt == prompt ? original_id : task.PutPrompt(enhanced.prompt, negative_prompt, original_id);
    Json outputs = {{"prompt", enhanced.prompt},          {"prompt_id", id},
                    {"original_prompt", prompt},          {"original_prompt_id", original_id},
                    {"negative_prompt", negative_prompt}, {"enhanced", failure.is_null()}};
    Json record = outputs;
    record["backend"] = parameters.at("backend");
    record["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    record["failure"] = failure;
    record.update(enhanced.record);
    const std::string file = WriteRecord(task, record);
    task.AddArtifact(file);
    outputs["failure"] = failure.is_null() ? Json("") : failure.at("message");
    outputs["record"] = file;
    return outputs;
  }

  Json Preview(sdk::Task& task, const Json& parameters) override {
    if (parameters.at("backend") == "cosmos-upsampler") return UpsamplerJob(task, parameters).ToJson();
    return Json::object();
  }

  void Cancel() override { interrupt_.Set(); }

 private:
  Enhanced Enhance(sdk::Task& task, const Json& parameters) {
    const std::string backend = Text(parameters, "backend");
    if (backend == "openai") return EnhanceByOpenAi(task, parameters, interrupt_);
    if (backend == "cosmos-upsampler") return EnhanceByUpsampler(task, parameters);
    return EnhanceByTemplate(task, parameters);
  }

  Interrupt interrupt_;
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::PromptEnhancement);
