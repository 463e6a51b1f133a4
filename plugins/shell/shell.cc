// The stage that runs the user's own command as a durable job on its target.
#include <cosmos/plugin.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace {

using cosmos::sdk::Description;
using cosmos::sdk::JobOutput;
using cosmos::sdk::JobSpec;
using cosmos::sdk::Json;
using cosmos::sdk::StageFailure;
using cosmos::sdk::Task;

// "video" for what the engine can check by decoding it.
std::string KindOf(std::string_view path) {
  static constexpr std::array<std::string_view, 4> kVideos = {".mp4", ".mov", ".mkv", ".webm"};
  const auto ends_so = [&](std::string_view suffix) {
    return path.size() > suffix.size() && path.substr(path.size() - suffix.size()) == suffix;
  };
  return std::any_of(kVideos.begin(), kVideos.end(), ends_so) ? "video" : "file";
}

JobOutput OutputOf(const Json& value) {
  JobOutput output;
  output.path = value.is_string() ? value.get<std::string>() : value.at("path").get<std::string>();
  output.kind = KindOf(output.path);
  if (value.is_object()) {
    output.kind = value.value("kind", output.kind);
    output.optional = value.value("optional", false);
  }
  return output;
}

class Shell : public cosmos::sdk::JobStage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "shell";
    description.version = "1.0.0";
    description.summary = "Runs a script or a command as a durable job.";
    description.parameters = Json::parse(R"json({
      "type": "object",
      "additionalProperties": false,
      "oneOf": [{"required": ["run"]}, {"required": ["argv"]}],
      "properties": {
        "run": {
          "type": "string",
          "minLength": 1,
          "x-no-secrets": true,
          "description": "A script for /bin/sh, which ends at the first command that fails (set -e). It is kept in the job's folder, so secrets are passed by `env:` and not written into it. Either run or argv."
        },
        "argv": {
          "type": "array",
          "minItems": 1,
          "items": {"type": "string"},
          "x-no-secrets": true,
          "description": "A program and its arguments, started without a shell. Every user of the target sees them, so secrets are passed by `env:`. Either run or argv."
        },
        "outputs": {
          "type": "object",
          "description": "The files that the job makes, by name. Relative paths are below $COSMOS_OUTPUT_DIR.",
          "additionalProperties": {
            "type": ["string", "object"],
            "description": "The file's path, or an object with more about it.",
            "minLength": 1,
            "required": ["path"],
            "additionalProperties": false,
            "properties": {
              "path": {"type": "string", "minLength": 1, "description": "The file's path."},
              "kind": {
                "enum": ["file", "video"],
                "description": "A video must decode. Default: video for .mp4, .mov, .mkv and .webm, else file."
              },
              "optional": {"type": "boolean", "default": false, "description": "Whether the file may be missing."}
            }
          }
        }
      }
    })json");
    description.outputs_from = "outputs";
    return description;
  }

  JobSpec Build(Task&, const Json& parameters) override {
    JobSpec spec;
    if (parameters.contains("run") == parameters.contains("argv")) {
      throw StageFailure("invalid_input", "a shell stage takes exactly one of 'run' and 'argv'; give one of them");
    }
    if (parameters.contains("run")) {
      spec.script = "set -e\n" + parameters.at("run").get<std::string>();
    } else {
      spec.argv = parameters.at("argv").get<std::vector<std::string>>();
    }
    const Json outputs = parameters.value("outputs", Json::object());
    for (const auto& [name, value] : outputs.items()) {
      spec.outputs[name] = OutputOf(value);
    }
    return spec;
  }
};

}  // namespace

COSMOS_PLUGIN(Shell);
