// The stage that makes control videos from rendered frames, with the program's own `prepare`.
#include <cosmos/plugin.hpp>
#include <cosmos/shell_quote.hpp>

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/parameters.h"
#include "prepare/command_line.h"
#include "prepare/prepare_log.h"
#include "prepare/schema.h"

namespace cosmos::plugins {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "cosmos-engine";

// The program that runs the plugin, or its name, for $PATH, when it is not that one.
std::string OwnProgram() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return !error && program.filename() == kProgram ? program.string() : kProgram;
}

std::string ScriptFor(const std::string& program, const std::vector<std::string>& words) {
  std::string script = "set -eu\nprogram=" + sdk::ShellQuote(program) + "\n";
  if (program != kProgram) script += "[ -x \"$program\" ] || program=" + std::string(kProgram) + "  # in a container\n";
  script += R"sh(if ! command -v "$program" >/dev/null; then
  echo "error: there is no cosmos-engine in the PATH of this machine or container, and its 'prepare' makes the videos;" \
    "install it there, or give the stage a target of the machine that the workflow is run on, without a container" >&2
  exit 127
fi
status=0
"$program" )sh";
  script += sdk::ShellJoin(words) + " || status=$?\n";
  script += "if [ \"$status\" -eq 2 ]; then echo " + sdk::ShellQuote(kInputAtFault) + " >&2; fi\n";
  return script + "exit \"$status\"\n";
}

class Prepare : public sdk::Stage {
 public:
  sdk::Description Describe() const override {
    sdk::Description description;
    description.id = "prepare";
    description.version = "1.0.0";
    description.summary = "Makes control videos from a folder of rendered frames.";
    description.required_services = {"cosmos.job/1"};
    description.parameters = PrepareParameters();
    description.outputs = PrepareOutputs();
    return description;
  }

  sdk::Json Run(sdk::Task& task, const sdk::Json& parameters) override {
    PrepareLog log;
    try {
      return task.RunJob(JobFor(task, parameters, OwnProgram()),
                         [&](std::string_view bytes) { log.Read(task, bytes); });
    } catch (const sdk::StageFailure& failure) {
      throw log.Explained(failure);
    }
  }

  sdk::Json Preview(sdk::Task& task, const sdk::Json& parameters) override {
    return JobFor(task, parameters, kProgram).ToJson();
  }

 private:
  // `own`: the program to use on this machine.
  static sdk::JobSpec JobFor(sdk::Task& task, const sdk::Json& parameters, const std::string& own) {
    const std::string folder = Text(parameters, "folder");
    const std::string there = task.Input(folder);
    const bool is_here = there == fs::absolute(folder);
    sdk::JobSpec job;
    job.script = ScriptFor(is_here ? own : kProgram, PrepareWords(parameters, there, task.OutputFolder()));
    for (const std::string& control : PreparedControls()) job.outputs[control] = {control + ".mp4", "video", true};
    job.outputs["manifest"] = {"manifest.json"};
    return job;
  }
};

}  // namespace
}  // namespace cosmos::plugins

COSMOS_PLUGIN(cosmos::plugins::Prepare);
