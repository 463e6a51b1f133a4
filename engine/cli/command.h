#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"

namespace cosmos {

// Exit statuses of the program (DESIGN 10).
enum ExitStatus {
  kExitSucceeded = 0,
  kExitRunFailed = 1,
  kExitWrongInput = 2,
  kExitCannotWork = 3,
  kExitCancelled = 130
};

// One command of the program: what it takes and what it does. `run` returns the exit status and throws Error.
struct Command {
  std::string name;
  std::string synopsis;  // what stands behind the name, such as "WORKFLOW [options]"
  std::string summary;   // one line
  std::string details;   // more for --help; may be empty
  std::vector<OptionSpec> options;
  PositionalSpec positionals;
  int (*run)(const Arguments& arguments, Console* console);
};

// Each in a file of its own name.
Command RunCommand();
Command ResumeCommand();
Command RetryCommand();
Command CancelCommand();
Command PrepareCommand();
Command ValidateCommand();
Command SchemaCommand();
Command StatusCommand();
Command RunsCommand();
Command ShowCommand();
Command LogsCommand();
Command EventsCommand();
Command TargetsCommand();
Command GcCommand();
Command PruneCommand();
Command DiagnosticsCommand();
Command PluginsCommand();
Command DbCommand();
Command VersionCommand();

// Options that several commands share.
std::vector<OptionSpec> CommonOptions();  // --help, --format
OptionSpec DbOption();
OptionSpec PluginPathOption();

}  // namespace cosmos
