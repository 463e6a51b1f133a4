#include "common/model_launch.h"

#include <algorithm>
#include <cosmos/shell_quote.hpp>

#include "common/parameters.h"

namespace cosmos::plugins {
namespace {

using sdk::ShellQuote;

// Quoted only where a shell needs it, as people read the command.
std::string Word(const std::string& text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:,+-";
  return !text.empty() && text.find_first_not_of(kPlain) == text.npos ? text : ShellQuote(text);
}

// A path of the target as a word of its shell, which knows the home folder.
std::string PathWord(const std::string& path) {
  return path.rfind("~/", 0) == 0 ? "\"$HOME\"/" + Word(path.substr(2)) : Word(path);
}

}  // namespace

ModelLaunch ModelLaunch::From(const sdk::Task& task, const sdk::Json& parameters) {
  ModelLaunch launch;
  launch.repo = Text(parameters, "repo");
  launch.setup = Text(parameters, "setup");
  launch.launcher = Text(parameters, "launcher");
  launch.gpus = std::max(task.context().gpus, 1);
  return launch;
}

sdk::Json LaunchParameters() {
  return sdk::Json::parse(R"json({
    "launcher": {
      "enum": ["torchrun", "python"], "default": "torchrun",
      "description": "torchrun: as many processes as the stage has GPUs (resources.gpus). python: one process. In a container where the stage or its target has one."
    },
    "repo": {
      "type": "string", "minLength": 1,
      "description": "The folder of the model's code on the target, absolute, or below its home folder by `~/`. Default: the folder the job starts in, such as the container's workdir."
    },
    "setup": {
      "type": "string", "minLength": 1, "x-no-secrets": true,
      "description": "Lines for the shell before the model starts, such as `. .venv/bin/activate`."
    }
  })json");
}

bool HasOomStep(const sdk::Task& task, const char* step) {
  const std::vector<std::string>& steps = task.context().oom_steps;
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

void AddLaunchNeeds(const sdk::Json& parameters, sdk::JobNeeds* needs) {
  needs->folder = Text(parameters, "repo");
  if (!parameters.contains("setup")) needs->programs.push_back(Text(parameters, "launcher"));
}

std::string LaunchSetup(const ModelLaunch& launch) {
  std::string lines;
  if (!launch.repo.empty()) lines += "cd " + PathWord(launch.repo) + "\n";
  if (!launch.setup.empty()) lines += launch.setup + "\n";
  return lines + "export PYTHONPATH=\"$PWD\"\n";
}

std::string LaunchCommand(const ModelLaunch& launch) {
  std::string command;
  if (launch.launcher == "torchrun") {
    // --standalone takes a free port: two jobs on one machine would meet on torchrun's fixed one.
    command = "torchrun --standalone --nnodes=1 --nproc_per_node=" + std::to_string(launch.gpus);
  } else {
    command = "python";
  }
  for (const auto* words : {&launch.program, &launch.arguments}) {
    for (const std::string& word : *words) command += " " + Word(word);
  }
  return command;
}

sdk::JobSpec LaunchJob(const ModelLaunch& launch, const std::string& after) {
  const std::string before = LaunchSetup(launch);
  const std::string command = LaunchCommand(launch);
  sdk::JobSpec spec;
  spec.script = "set -e\n" + before;
  spec.script +=
      after.empty() ? "exec " + command + "\n" : "status=0\n" + command + " || status=$?\n" + after + "exit $status\n";
  spec.files["command"] = {"command.txt", before + command + "\n"};
  return spec;
}

}  // namespace cosmos::plugins
