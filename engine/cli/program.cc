#include "cli/program.h"

#include <algorithm>
#include <exception>

#include "cli/command.h"
#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

std::vector<Command> AllCommands() {
  return {PrepareCommand(), RunCommand(),     ValidateCommand(),    SchemaCommand(),  ResumeCommand(),
          RetryCommand(),   CancelCommand(),  StatusCommand(),      RunsCommand(),    ShowCommand(),
          LogsCommand(),    EventsCommand(),  DiagnosticsCommand(), TargetsCommand(), GcCommand(),
          PruneCommand(),   PluginsCommand(), DbCommand(),          VersionCommand()};
}

void PrintOverview(const std::vector<Command>& commands, Console* console) {
  std::string text =
      "usage: cosmos-engine COMMAND [arguments]\n\nRuns video-generation pipelines on GPUs you own or rent.\n\n";
  for (const Command& command : commands) {
    text += "  " + command.name + std::string(13 - command.name.size(), ' ') + command.summary + "\n";
  }
  console->Print(text + "\n`cosmos-engine COMMAND --help` tells more about each.\n");
}

void PrintHelp(const Command& command, Console* console) {
  console->PrintLine("usage: cosmos-engine " + command.name + (command.synopsis.empty() ? "" : " " + command.synopsis));
  console->PrintLine("\n" + command.summary);
  if (!command.details.empty()) console->PrintLine("\n" + command.details);
  console->Print("\n" + Arguments::Help(command.options));
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kNotFound:
    case ErrorCode::kPlugin:
      return kExitWrongInput;
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kConnectionLost:
    case ErrorCode::kIo:
    case ErrorCode::kUnfinished:
    case ErrorCode::kInternal:
      return kExitCannotWork;
  }
  return kExitCannotWork;
}

void PrintError(const Error& error, Console* console) {
  if (console->json()) {
    console->PrintJson({{"error", {{"message", error.message()}, {"hint", error.hint()}, {"where", error.where()}}}});
    return;
  }
  console->Warn(console->Paint(Colour::kRed, "error: ") + (error.where().empty() ? "" : error.where() + ": ") +
                error.message());
  if (!error.hint().empty()) console->Warn("  " + error.hint());
}

void ReadFormat(const Arguments& arguments, Console* console) {
  const std::string format = arguments.Get("format", "text");
  if (format != "text" && format != "json") {
    throw Error(ErrorCode::kInvalidInput, "found '" + format + "' after --format", "expected text or json");
  }
  console->set_json(format == "json");
}

int RunCommandOf(const Command& command, const std::vector<std::string>& words, Console* console) {
  if (std::find_if(words.begin(), words.end(),
                   [](const std::string& word) { return word == "--help" || word == "-h"; }) != words.end()) {
    PrintHelp(command, console);
    return kExitSucceeded;
  }
  const Arguments arguments(command.name, command.options, command.positionals, words);
  ReadFormat(arguments, console);
  return command.run(arguments, console);
}

int Dispatch(const std::vector<std::string>& words, Console* console) {
  const std::vector<Command> commands = AllCommands();
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    PrintOverview(commands, console);
    return words.empty() ? kExitWrongInput : kExitSucceeded;
  }
  const std::string name = words[0] == "--version" ? "version" : words[0];
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (command.name == name) return RunCommandOf(command, {words.begin() + 1, words.end()}, console);
    names.push_back(command.name);
  }
  throw Error(ErrorCode::kInvalidInput, "there is no command '" + name + "'", Suggestion(name, names));
}

}  // namespace

std::vector<OptionSpec> CommonOptions() {
  return {{"help,h", "", "tell about this command"}, {"format", "FORMAT", "text (default) or json, for scripts"}};
}

OptionSpec DbOption() { return {"db", "FILE", "the database of runs ($COSMOS_DB)"}; }

OptionSpec PluginPathOption() {
  return {"plugin-path", "FOLDERS", "where to look for plugins first, separated by ':' ($COSMOS_PLUGIN_PATH)"};
}

int Program(const std::vector<std::string>& words) {
  Console console;
  try {
    return Dispatch(words, &console);
  } catch (const Error& error) {
    PrintError(error, &console);
    return StatusOf(error.code());
  } catch (const std::exception& error) {
    PrintError(Error(ErrorCode::kInternal, error.what()), &console);
    return kExitCannotWork;
  }
}

}  // namespace cosmos
