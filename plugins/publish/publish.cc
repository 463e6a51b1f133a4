// Takes a version of a shot for itself, and copies files into its folder. Works on the engine's machine, whatever its
// target.
#include <cosmos/plugin.hpp>

#include "common/parameters.h"
#include "publish/version_folder.h"

namespace {

namespace fs = std::filesystem;
using cosmos::plugins::Expanded;
using cosmos::plugins::Text;
using cosmos::plugins::VersionFolders;
using cosmos::sdk::Description;
using cosmos::sdk::Json;
using cosmos::sdk::StageFailure;
using cosmos::sdk::Task;

constexpr const char* kNames[] = {"show", "sequence", "shot"};

class Publish : public cosmos::sdk::Stage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "publish";
    description.version = "1.0.0";
    description.summary = "Takes the next version of a shot, and copies files into its folder.";
    description.parameters = Json::parse(R"json({
      "type": "object",
      "required": ["folder"],
      "additionalProperties": false,
      "properties": {
        "folder": {
          "type": "string", "minLength": 1, "maxLength": 4096,
          "description": "The version's folder on this machine, such as /shows/{show}/{sequence}/{shot}/{version}; {show} and the others stand for the parameters of these names, and {version} must stand in the last name. It is made, with those above it."
        },
        "show": {"type": "string", "maxLength": 200, "default": "", "description": "What {show} stands for."},
        "sequence": {"type": "string", "maxLength": 200, "default": "", "description": "What {sequence} stands for."},
        "shot": {"type": "string", "maxLength": 200, "default": "", "description": "What {shot} stands for."},
        "version": {
          "default": "next",
          "description": "`next`, which takes the version after the highest that there is, or a number: a version that this run has taken, or one that does not exist.",
          "oneOf": [{"const": "next"}, {"type": "integer", "minimum": 0, "maximum": 999999999}]
        },
        "padding": {
          "type": "integer", "minimum": 1, "maximum": 9, "default": 3,
          "description": "Digits of a version's name: 3 makes v001."
        },
        "files": {
          "type": "object", "default": {},
          "description": "Files to copy into the folder, by the names that they get, such as {'{shot}_{version}.mp4': FILE}.",
          "additionalProperties": {"type": "string", "format": "input-file", "minLength": 1}
        }
      }
    })json");
    description.outputs = Json::parse(R"json({
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "folder": {"type": "string", "description": "The version's folder."},
        "version": {"type": "integer", "description": "Its number, such as 3."},
        "name": {"type": "string", "description": "Its name, such as v003."},
        "label": {"type": "string", "description": "Show, sequence, shot and version, such as city sq010 sh020 v003."},
        "files": {"type": "object", "description": "The copied files, by the names of `files`."}
      }
    })json");
    return description;
  }

  Json Run(Task& task, const Json& parameters) override {
    std::map<std::string, std::string> values;
    Json facts = Json::object();
    std::string label;
    for (const char* name : kNames) {
      values[name] = Text(parameters, name);
      if (values[name].empty()) continue;
      facts[name] = values[name];
      label += values[name] + " ";
    }
    const Json version = parameters.value("version", Json("next"));
    const auto& context = task.context();
    values["version"] = "{version}";
    VersionFolders folders(Expanded(Text(parameters, "folder"), values), parameters.value("padding", 3),
                           {context.run_id, context.stage + (context.instance.empty() ? "" : "." + context.instance)});
    int number = 0;
    if (version.is_number_integer()) {
      number = version.get<int>();
      folders.Take(number, facts);
    } else {
      number = folders.TakeNext(facts);
    }
    const fs::path folder = fs::absolute(folders.FolderOf(number)).lexically_normal();
    task.Log(cosmos::sdk::LogLevel::kInfo, "version " + folders.NameOf(number) + ": " + folder.string());
    values["version"] = folders.NameOf(number);
    return {{"folder", folder},
            {"version", number},
            {"name", folders.NameOf(number)},
            {"label", label + folders.NameOf(number)},
            {"files", CopyAll(task, parameters.value("files", Json::object()), values, folder)}};
  }

 private:
  static Json CopyAll(Task& task, const Json& files, const std::map<std::string, std::string>& values,
                      const fs::path& folder) {
    Json copied = Json::object();
    double done = 0;
    for (const auto& [pattern, file] : files.items()) {
      const std::string name = Expanded(pattern, values);
      if (name.empty() || name[0] == '.' || name.find('/') != name.npos || name == "version.json") {
        throw StageFailure("invalid_input", "found '" + name +
                                                "' as the name of a file, expected one without '/' that "
                                                "does not begin with '.' and is not version.json");
      }
      cosmos::plugins::CopyWithoutReplacing(file.get<std::string>(), folder / name);
      copied[pattern] = folder / name;
      task.Progress(++done, static_cast<double>(files.size()), "copying");
    }
    return copied;
  }
};

}  // namespace

COSMOS_PLUGIN(Publish);
