// The stage that runs the user's own command as a durable job on its target.
#include <cosmos/plugin.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/frames_parameter.h"

namespace {

using cosmos::plugins::FramesOf;
using cosmos::plugins::FramesParameter;
using cosmos::sdk::Description;
using cosmos::sdk::JobInput;
using cosmos::sdk::JobOutput;
using cosmos::sdk::JobSpec;
using cosmos::sdk::Json;
using cosmos::sdk::StageFailure;
using cosmos::sdk::Task;

// Whether the name has the place of a frame's number: `####`, `%04d`, `$F4`.
bool IsSequence(std::string_view name) {
  if (name.find('#') != name.npos || name.find("$F") != name.npos) return true;
  for (std::size_t at = name.find('%'); at != name.npos; at = name.find('%', at + 1)) {
    const std::size_t letter = name.find_first_not_of("0123456789", at + 1);
    if (letter != name.npos && name[letter] == 'd') return true;
  }
  return false;
}

// What the path says by itself: several files, or "video" for what the engine can check by decoding it.
std::string KindOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.empty()) return "folder";
  if (name.find_first_of("*?") != name.npos) return "files";
  if (IsSequence(name)) return "frames";
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
    output.frames = FramesOf(value);
    output.gaps = value.value("gaps", false);
  }
  return output;
}

JobInput InputOf(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  return {value.at("path").get<std::string>(), FramesOf(value), value.value("gaps", false)};
}

// Of the environment, in which the job finds the path of an input.
std::string VariableOf(std::string_view input) {
  std::string variable = "COSMOS_INPUT_";
  for (const char c : input) {
    const bool small = c >= 'a' && c <= 'z';
    variable += c == '-' ? '_' : small ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
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
        "inputs": {
          "type": "object",
          "description": "The local files that the job reads, by name. They are uploaded to the stage's target, and the job finds their path there in $COSMOS_INPUT_NAME: a file, a folder, or a pattern such as frames/*.exr or frames/beauty.####.exr, whose files are in a folder of their own.",
          "additionalProperties": false,
          "patternProperties": {
            "^[A-Za-z_][A-Za-z0-9_-]*$": {
              "type": ["string", "object"],
              "format": "input-path",
              "description": "The local path, or an object with more about it.",
              "minLength": 1,
              "required": ["path"],
              "additionalProperties": false,
              "properties": {
                "path": {"type": "string", "format": "input-path", "minLength": 1, "description": "The local path: a file, a folder or a pattern."},
                "gaps": {"type": "boolean", "default": false, "description": "Whether frames may be missing between the first and the last one."}
              }
            }
          }
        },
        "outputs": {
          "type": "object",
          "description": "What the job makes, by name: a file, a folder with all that is in it (frames/), the files that match a pattern (frames/*.exr), or the frames of a sequence (frames/beauty.####.exr). Relative paths are below $COSMOS_OUTPUT_DIR.",
          "additionalProperties": {
            "type": ["string", "object"],
            "description": "The path, or an object with more about it.",
            "minLength": 1,
            "required": ["path"],
            "additionalProperties": false,
            "properties": {
              "path": {"type": "string", "minLength": 1, "description": "The path: with a '/' at its end a folder, with * or ? in its name the files that match, with ####, %04d or $F4 the frames of a sequence."},
              "kind": {
                "enum": ["file", "video", "folder", "files", "frames"],
                "description": "What it is. A video must decode. By default the path tells, and .mp4, .mov, .mkv and .webm are videos."
              },
              "gaps": {"type": "boolean", "default": false, "description": "Whether frames may be missing between the first and the last one."},
              "optional": {"type": "boolean", "default": false, "description": "Whether it may be missing."}
            }
          }
        }
      }
    })json");
    Json& properties = description.parameters.at("properties");
    Json& input = properties.at("inputs").at("patternProperties").begin().value();
    for (Json* group : {&input, &properties.at("outputs").at("additionalProperties")}) {
      group->at("properties")["frames"] = FramesParameter(
          "The frames that a sequence must have, such as 1001-1100, 1-100x2 or 1,5,10-20. Without them none between "
          "its first and its last may be missing.");
    }
    description.outputs_from = "outputs";
    return description;
  }

  JobSpec Build(Task& task, const Json& parameters) override {
    JobSpec spec;
    if (parameters.contains("run") == parameters.contains("argv")) {
      throw StageFailure("invalid_input", "a shell stage takes exactly one of 'run' and 'argv'; give one of them");
    }
    if (parameters.contains("run")) {
      spec.script = "set -e\n" + parameters.at("run").get<std::string>();
    } else {
      spec.argv = parameters.at("argv").get<std::vector<std::string>>();
    }
    const Json inputs = parameters.value("inputs", Json::object());
    for (const auto& [name, value] : inputs.items()) {
      const JobInput input = InputOf(value);
      if (!spec.env.emplace(VariableOf(name), task.Input(input.path)).second) {
        throw StageFailure("invalid_input", "several inputs would be in $" + VariableOf(name) +
                                                "; give them names that differ in more than case, '-' and '_'");
      }
      spec.inputs[name] = input;
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
