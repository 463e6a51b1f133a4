// The stage that turns an artist's prompt into one that a video model can work with. Back ends are named by `backend`;
// so far there is `template`, which goes by rules and needs no network.
#include <cosmos/plugin.hpp>
#include <filesystem>
#include <fstream>

#include "prompt_enhancement/template_rules.h"

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
    description.version = "1.0.0";
    description.summary = "Adds camera, light and style to a prompt and keeps the artist's words.";
    description.folder = "prompt_enhancement";
    description.log = sdk::Description::LogName::kOperation;
    description.required_services = {"cosmos.files/1", "cosmos.store/1"};
    description.parameters = Json::parse(R"json({
      "type": "object",
      "required": ["prompt"],
      "additionalProperties": false,
      "properties": {
        "prompt": {
          "type": "string", "minLength": 1, "maxLength": 16000,
          "description": "The artist's words. They stand unchanged at the start of the enhanced prompt."
        },
        "negative_prompt": {
          "type": "string", "maxLength": 16000, "default": "",
          "description": "What must not be seen. Passed on unchanged."
        },
        "backend": {
          "enum": ["template"], "default": "template",
          "description": "template: fixed rules over the prompt's words; the same prompt always gives the same result."
        },
        "camera": {
          "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
          "description": "auto: what suits the prompt; none: add nothing; else the words to add."
        },
        "light": {
          "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
          "description": "auto: what suits the prompt; none: add nothing; else the words to add."
        },
        "style": {
          "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
          "description": "auto: what suits the prompt; none: add nothing; else the words to add."
        }
      }
    })json");
    description.outputs = Json::parse(R"json({
      "type": "object",
      "properties": {
        "prompt": {"type": "string", "description": "The enhanced prompt."},
        "prompt_id": {"type": "string", "description": "The enhanced prompt's record."},
        "original_prompt": {"type": "string", "description": "The artist's words."},
        "original_prompt_id": {"type": "string", "description": "The record of the artist's words."},
        "negative_prompt": {"type": "string", "description": "As given."},
        "record": {"type": "string", "description": "A JSON file that tells what was added, and why."}
      }
    })json");
    return description;
  }

  Json Run(sdk::Task& task, const Json& parameters) override {
    const std::string prompt = parameters.at("prompt").get<std::string>();
    const std::string negative_prompt = parameters.value("negative_prompt", "");
    const Enhancement enhanced = EnhanceByRules(
        prompt,
        {parameters.value("camera", "auto"), parameters.value("light", "auto"), parameters.value("style", "auto")});

    task.Log(LogLevel::kInfo, "prompt: " + prompt);
    Json added = Json::array();
    for (const Addition& addition : enhanced.added) {
      task.Log(LogLevel::kInfo, "added for " + addition.aspect + ": '" + addition.text + "' (" + addition.why + ")");
      added.push_back({{"aspect", addition.aspect}, {"text", addition.text}, {"why", addition.why}});
    }
    for (const std::string& kept : enhanced.kept) task.Log(LogLevel::kInfo, kept);
    task.Log(LogLevel::kInfo, "enhanced prompt: " + enhanced.prompt);

    const std::string original_id = task.PutPrompt(prompt, negative_prompt);
    const std::string id =
        enhanced.prompt == prompt ? original_id : task.PutPrompt(enhanced.prompt, negative_prompt, original_id);
    Json outputs = {{"prompt", enhanced.prompt},
                    {"prompt_id", id},
                    {"original_prompt", prompt},
                    {"original_prompt_id", original_id},
                    {"negative_prompt", negative_prompt}};
    Json record = outputs;
    record["backend"] = "template";
    record["added"] = added;
    record["not_added"] = enhanced.kept;
    const std::string file = WriteRecord(task, record);
    task.AddArtifact(file);
    outputs["record"] = file;
    return outputs;
  }
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::PromptEnhancement);
