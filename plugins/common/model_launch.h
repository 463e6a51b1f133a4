#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// How a program of a model's repository is started on its target. A value.
struct ModelLaunch {
  std::string repo;      // folder of the model's code there, may begin with `~/`; empty: where the job starts
  std::string setup;     // lines for the shell before, such as `. .venv/bin/activate`; run in `repo`
  std::string launcher;  // "torchrun", or "python" for one process
  int gpus = 1;          // processes that torchrun starts
  std::vector<std::string> program;    // such as {"examples/inference.py"}
  std::vector<std::string> arguments;  // words

  // The parameters `repo`, `setup` and `launcher`, as LaunchParameters() has them, and the GPUs of the attempt.
  static ModelLaunch From(const sdk::Task& task, const sdk::Json& parameters);
};

// Schemas of the parameters that every model's launch has.
sdk::Json LaunchParameters();

// Whether an earlier attempt ran out of GPU memory and this step was taken for it.
bool HasOomStep(const sdk::Task& task, const char* step);

// Adds to `needs` where the launch works and the program it starts with; after a `setup` only that tells where it is.
void AddLaunchNeeds(const sdk::Json& parameters, sdk::JobNeeds* needs);

// The job's script, and with `after` what the shell does behind the program, whatever its status, which stays that of
// the job; and the exact command as its file "command" (command.txt).
sdk::JobSpec LaunchJob(const ModelLaunch& launch, const std::string& after = "");
// The two parts of it, for a job that does more: lines for the shell, and the command without its line end.
std::string LaunchSetup(const ModelLaunch& launch);
std::string LaunchCommand(const ModelLaunch& launch);

}  // namespace cosmos::plugins
