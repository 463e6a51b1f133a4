#include "cli/program.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

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
  console->Print(text + "\n`cosmos-engine help COMMAND` shows more about each.\n");
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

// Throws Error{kInvalidInput} for what is neither a command nor an option of the program itself.
const Command& FindCommand(const std::vector<Command>& commands, const std::string& name) {
  const bool is_option = name.rfind('-', 0) == 0;
  std::vector<std::string> names;
  if (is_option) names = {"--help", "--version"};
  for (const Command& command : commands) {
    if (command.name == name) return command;
    if (!is_option) names.push_back(command.name);
  }
  throw Error(ErrorCode::kInvalidInput,
              std::string("there is no ") + (is_option ? "option" : "command") + " '" + name + "'",
              Suggestion(name, names));
}

int Dispatch(const std::vector<std::string>& words, Console* console) {
  const std::vector<Command> commands = AllCommands();
  const std::string first = words.empty() ? "" : words[0];
  const bool is_help = first == "help" || first == "--help" || first == "-h";
  if (first == "help" && words.size() > 1 && words[1] != "--help" && words[1] != "-h") {
    PrintHelp(FindCommand(commands, words[1]), console);
    return kExitSucceeded;
  }
  if (words.empty() || is_help) {
    PrintOverview(commands, console);
    return words.empty() ? kExitWrongInput : kExitSucceeded;
  }
  return RunCommandOf(FindCommand(commands, first == "--version" ? "version" : first), {words.begin() + 1, words.end()},
                      console);
}

// Writing beyond the limit of a file's size, or to a reader that has gone, is an error of the write and not the end of
// the program. Handlers, not SIG_IGN: what the program starts must have the signals as it would have them anyway.
void CatchWriteSignals() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGXFSZ, SIGPIPE}) ::sigaction(signal, &action, nullptr);
}

// What is written into JSON later must be UTF-8.
void CheckWords(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (IsUtf8(word)) continue;
    throw Error(ErrorCode::kInvalidInput, "found '" + word + "', which is not UTF-8",
                "rename the file or folder, or write the text in UTF-8");
  }
  std::error_code error;
  const std::string folder = std::filesystem::current_path(error).string();
  if (error || IsUtf8(folder)) return;
  throw Error(ErrorCode::kInvalidInput, "the current folder '" + folder + "' has a name that is not UTF-8",
              "rename it, or change to another folder");
}

// An exception of a library, as people can use it.
Error Explained(const std::exception& error) {
  constexpr int kNotUtf8 = 316;
  const auto* const json = dynamic_cast<const nlohmann::json::type_error*>(&error);
  if (json != nullptr && json->id == kNotUtf8) {
    return Error(ErrorCode::kInvalidInput, "a name or a text is not UTF-8", "rename the file, or write it in UTF-8");
  }
  const auto* const file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (file == nullptr) return Error(ErrorCode::kInternal, error.what());
  std::error_code gone;
  const std::filesystem::path here = std::filesystem::current_path(gone);
  if (gone || here.empty()) {
    return Error(ErrorCode::kIo, "the current folder cannot be used: " + gone.message(),
                 "it may have been removed; change to another folder");
  }
  return Error(ErrorCode::kIo, "cannot use '" + file->path1().string() + "': " + file->code().message());
}

// A command whose output got lost has not done its work, even if all else went well. A reader that has seen enough is
// no fault.
int WithOutputError(int status, Console* console) {
  const int error = console->output_error();
  if (error == 0 || error == EPIPE) return status;
  console->Warn(console->Paint(Colour::kRed, "error: ") + "cannot write the output: " + std::strerror(error));
  return status == kExitSucceeded ? kExitCannotWork : status;
}

}  // namespace

std::vector<OptionSpec> CommonOptions() {
  return {{"help,h", "", "show this help"}, {"format", "FORMAT", "text (default) or json, for scripts"}};
}

OptionSpec DbOption() { return {"db", "FILE", "the database of runs ($COSMOS_DB)"}; }

OptionSpec PluginPathOption() {
  return {"plugin-path", "FOLDERS", "where to look for plugins first, separated by ':' ($COSMOS_PLUGIN_PATH)"};
}

int Program(const std::vector<std::string>& words) {
  CatchWriteSignals();
  ::umask(::umask(0) | S_IWOTH);  // nothing of ours is to be written by others
  Console console;
  try {
    CheckWords(words);
    return WithOutputError(Dispatch(words, &console), &console);
  } catch (const Error& error) {
    PrintError(error, &console);
    return StatusOf(error.code());
  } catch (const std::exception& error) {
    const Error told = Explained(error);
    PrintError(told, &console);
    return StatusOf(told.code());
  }
}

}  // namespace cosmos
