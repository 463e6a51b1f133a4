#include <cosmos/plugin.hpp>
#include <string>

namespace {

using cosmos::sdk::Json;

// A job that has one input, a file or a folder, and makes a copy of it.
class FileCopy : public cosmos::sdk::JobStage {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "file-copy";
    description.summary = "Copies a file on the stage's target.";
    description.parameters = {{"type", "object"},
                              {"required", {"input"}},
                              {"additionalProperties", false},
                              {"properties", {{"input", {{"type", "string"}, {"format", "input-file"}}}}}};
    description.outputs = {{"type", "object"}, {"properties", {{"copy", {{"type", "string"}}}}}};
    return description;
  }
  cosmos::sdk::JobSpec Build(cosmos::sdk::Task& task, const Json& parameters) override {
    cosmos::sdk::JobSpec spec;
    spec.argv = {"cp", "--", task.Input(parameters.at("input").get<std::string>()), task.OutputFolder() + "/copy"};
    spec.outputs["copy"] = {"copy", "file", false};
    return spec;
  }
};

}  // namespace

COSMOS_PLUGIN(FileCopy);
