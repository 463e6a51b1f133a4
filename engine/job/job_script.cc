#include "job/job_script.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/text.h"
#include "job/container_script.h"

namespace cosmos {
namespace {

// Quotes values, with secrets taken out into variables.
class SecretQuoter {
 public:
  SecretQuoter(const Masker& masker, std::map<std::string, std::string>* environment)
      : masker_(masker), environment_(environment) {}

  std::string Quote(const std::string& word) {
    if (!masker_.Finds(word)) return ShellQuote(word);
    // The whole word becomes one variable, which a shell neither splits nor expands between double quotes.
    const std::string name = "COSMOS_SECRET_" + std::to_string(environment_->size() + 1);
    (*environment_)[name] = word;
    return "\"$" + name + "\"";
  }

 private:
  const Masker& masker_;
  std::map<std::string, std::string>* const environment_;
};

// The commands that write the files, in the job's folder.
std::string WriteFiles(const std::vector<JobFile>& files) {
  std::string text;
  for (const JobFile& file : files) {
    const std::filesystem::path path(file.path);
    if (file.path.empty() || path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) {
      throw Error(ErrorCode::kPlugin, "the file '" + file.name + "' of a job has the path '" + file.path + "'",
                  "its plugin must give a path below the output folder, without `..`");
    }
    if (path.has_parent_path())
      text += "mkdir -p " + ShellQuote("out/" + path.parent_path().string()) + " || exit 126\n";
    text += "printf %s " + ShellQuote(file.text) + " >" + ShellQuote("out/" + file.path) + " || exit 126\n";
  }
  return text;
}

}  // namespace

namespace {

// Functions of the environment that are named like what the script uses must not replace it (bash(1), "Functions");
// special builtins come before functions anyway.
constexpr const char* kBegin = R"sh(#!/bin/sh
# A job of cosmos-engine. Started again it does nothing: whoever creates the file `pid` does the work.
unset -f cd read printf kill wait cat chmod mkfifo sleep head 2>/dev/null
)sh";

constexpr const char* kClaim = R"sh(if [ -e pid ] || [ -L pid ]; then exit 0; fi
read -r stat </proc/$$/stat
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
set -C -- ${stat##*) }
printf '%s %s %s\n' $$ "${20}" "${boot:--}${COSMOS_SUBMISSION:+ $COSMOS_SUBMISSION}" >pid || exit 0
set +C --
unset COSMOS_SUBMISSION
exec >>run.log 2>&1 9<>exit_status.reserved
stop=
trap stop=yes HUP INT QUIT TERM
trap : USR1 USR2
)sh";

// A command may have put something else in the place of these files, and opening a FIFO waits for ever.
constexpr const char* kEnd = R"sh([ -f run.log ] && [ ! -L run.log ] || { rm -rf run.log; cat </proc/$$/fd/1 >run.log; }
{ [ ! -e exit_status ] && [ ! -L exit_status ]; } || rm -rf exit_status
{ echo "$status${note:+ $note}" >exit_status; } 2>/dev/null || printf '%-15s\n' "$status${note:+ $note}" >&9
)sh";

// Lets a reader of its own write the log, from a pipe. One that meets a full disk drops what there is no room for, and
// tries again: the command must not wait for it. It ends when nobody has the pipe open any more.
constexpr const char* kPipe = R"sh(mkfifo run.log.pipe && chmod 666 run.log.pipe && exec 8<>run.log.pipe
(
  trap '' HUP TERM
  exec 8>&- 9>&-
  until cat >>run.log; do head -c 65536 >/dev/null; done 2>/dev/null
) <run.log.pipe &
reader=$!
)sh";

// Whether a command may open its stdout or stderr by name: that would truncate a log that is a regular file.
bool OpensItsOutput(const JobCommand& command) {
  const auto opens = [](const std::string& text) {
    for (const char* name : {"/dev/std", "/dev/fd/", "/proc/self/fd/"}) {
      if (text.find(name) != text.npos) return true;
    }
    return false;
  };
  return opens(command.script) || std::any_of(command.argv.begin(), command.argv.end(), opens);
}

// The environment of the command: what the job says, and by what others recognise whose it is.
std::map<std::string, std::string> EnvironmentOf(const RunContext& context, const std::string& folder,
                                                 const JobCommand& command) {
  std::map<std::string, std::string> env = command.env;
  env["COSMOS_RUN_ID"] = context.run_id;
  env["COSMOS_STAGE"] = context.key();
  env["COSMOS_ATTEMPT"] = std::to_string(context.attempt);
  env["COSMOS_PROMPT_NAME"] = context.prompt_name;
  env["COSMOS_PROMPT_ID"] = context.prompt_id;
  env["COSMOS_OUTPUT_DIR"] = folder + "/out";
  if (command.container) {
    for (const auto& [name, value] : command.container->env) env.try_emplace(name, value);
  }
  return env;
}

}  // namespace

void RefuseSecrets(const RunContext& context, const JobCommand& command, const Masker& masker) {
  const auto refuse = [&](const std::string& what, const std::string& who) {
    throw Error(ErrorCode::kInvalidInput,
                what + " of stage '" + context.key() + "' contains the value of a secret, which " + who + " could read",
                "pass the secret through the stage's `env:` and let the program read the variable");
  };
  constexpr const char* kUsers = "every user of the target (`ps`, `docker inspect`)";
  constexpr const char* kReaders = "whoever may read the job's folder";
  const auto check = [&](const std::string& text, const std::string& what, const char* who) {
    if (masker.Finds(text)) refuse(what, who);
  };
  check(command.script, "the script", kReaders);
  for (const std::string& word : command.argv) check(word, "the command line", kUsers);
  for (const JobFile& file : command.files) {
    check(file.text, "the file '" + file.name + "'", kReaders);
    check(file.path, "the path of the file '" + file.name + "'", kUsers);
  }
  check(command.workdir, "the working folder", kUsers);
  for (const auto& [name, value] : command.env) check(name, "the name of a variable", kUsers);
  if (!command.container) return;
  const ContainerSpec& container = *command.container;
  for (const std::string& text : {container.image, container.shm_size, container.ipc, container.workdir,
                                  container.entrypoint, container.engine}) {
    check(text, "the container", kUsers);
  }
  for (const auto* list : {&container.mounts, &container.args}) {
    for (const std::string& text : *list) check(text, "the container", kUsers);
  }
}

JobScript MakeJobScript(const RunContext& context, const std::string& folder, const JobCommand& command,
                        const Masker& masker) {
  RefuseSecrets(context, command, masker);
  JobScript job;
  SecretQuoter quoter(masker, &job.environment);
  const std::map<std::string, std::string> env = EnvironmentOf(context, folder, command);
  for (const char* name : {"COSMOS_RUN_ID", "COSMOS_STAGE", "COSMOS_OUTPUT_DIR"}) job.environment[name] = env.at(name);
  const std::string to_workdir = "cd " + ShellQuote(command.workdir) + " || exit 126\n";
  ContainerScript container;
  if (command.container) {
    std::vector<std::string> names;
    for (const auto& [name, value] : env) names.push_back(name);
    container = MakeContainerScript(*command.container, context, folder, command.workdir, names);
  }
  std::string& text = job.text;
  text = kBegin;
  const bool is_script = command.argv.empty();
  const bool runs_itself = is_script && !command.container;
  const bool piped = !command.container && OpensItsOutput(command);
  if (runs_itself) {  // of any length, which an argument could not be
    text += "if [ \"$1\" = command ]; then\n" + to_workdir + "shift\nset -e\neval " + ShellQuote(command.script) +
            "\nexit\nfi\n";
  }
  text += "cd " + ShellQuote(folder) + " || exit 1\n" + kClaim + container.before;
  if (piped || command.container) text += kPipe;
  text += std::string("(\n") + (piped ? "exec >run.log.pipe 2>&1\n" : "") + "exec 8>&- 9>&-\nexport";
  for (const auto& [name, value] : env) text += " " + name + "=" + quoter.Quote(value);
  text += "\n" + WriteFiles(command.files);
  if (runs_itself) {
    text += "exec /bin/sh ./job.sh command\n";
  } else {
    text += to_workdir + "exec" + (command.container ? " " + container.run : "");
    if (is_script) text += " /bin/sh -e -c " + ShellQuote(command.script);
    for (const std::string& word : command.argv) text += " " + ShellQuote(word);
    text += "\n";
  }
  text += ")\nstatus=$? note=\n" + container.after + kEnd;
  return job;
}

}  // namespace cosmos
