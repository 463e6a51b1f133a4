#include <cosmos/plugin.hpp>
#include <string>

namespace {

using cosmos::sdk::Json;

// A job that has one input, a file or a folder, and makes one file of its content.
class FileCopy : public cosmos::sdk::JobStage {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "file-copy";
    description.summary = "Copies a file on the stage's target.";
    description.parameters = {{"type", "object"},
                              {"required", {"input"}},
                              {"additionalProperties", false},
                              {"properties", {{"input", {{"type", "string"}}}}}};
    description.outputs = {{"type", "object"}, {"properties", {{"copy", {{"type", "string"}}}}}};
    return description;
  }
  cosmos::sdk::JobSpec Build(cosmos::sdk::Task& task, const Json& parameters) override {
    cosmos::sdk::JobSpec spec;
    spec.argv = {"sh",
                 "-c",
                 "if [ -d \"$1\" ]; then cat -- \"$1\"/*; else cat -- \"$1\"; fi >\"$2\"",
                 "sh",
                 task.Input(parameters.at("input").get<std::string>()),
                 task.OutputFolder() + "/copy"};
    spec.outputs["copy"] = {"copy", "file", false};
    return spec;
  }
};

}  // namespace

COSMOS_PLUGIN(FileCopy);
