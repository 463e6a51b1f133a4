#include "job/job_script.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

// Quotes words, with secrets taken out into variables.
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
std::string WriteFiles(const RunContext& context, const std::vector<JobFile>& files, const Masker& masker) {
  std::string text;
  for (const JobFile& file : files) {
    if (masker.Finds(file.text)) {
      throw Error(ErrorCode::kInvalidInput,
                  "the file '" + file.name + "' of stage '" + context.key() + "' would hold the value of a secret",
                  "pass it through `env:`");
    }
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

JobScript MakeJobScript(const RunContext& context, const std::string& folder, const JobCommand& command,
                        const Masker& masker) {
  if (masker.Finds(command.script)) {
    throw Error(ErrorCode::kInvalidInput, "the script of stage '" + context.key() + "' holds the value of a secret",
                "pass it through `env:` and use the variable");
  }
  JobScript job;
  SecretQuoter quoter(masker, &job.environment);
  std::string& text = job.text;
  text =
      "#!/bin/sh\n"
      "# A job of cosmos-engine. Started again it does nothing: whoever creates the file `pid` does the work.\n"
      "cd " +
      ShellQuote(folder) +
      " || exit 1\n"
      "read -r stat </proc/$$/stat\n"
      "read -r boot </proc/sys/kernel/random/boot_id\n"
      "set -C -- ${stat##*) }\n"
      "printf '%s %s %s\\n' $$ \"${20}\" \"$boot\" >pid || exit 0\n"
      "set +C --\n"
      "exec >>run.log 2>&1\n"
      "trap : HUP INT TERM\n"
      "(\n"
      "trap - HUP INT TERM\n";
  std::map<std::string, std::string> env = command.env;
  env["COSMOS_RUN_ID"] = context.run_id;
  env["COSMOS_STAGE"] = context.key();
  env["COSMOS_ATTEMPT"] = std::to_string(context.attempt);
  env["COSMOS_PROMPT_NAME"] = context.prompt_name;
  env["COSMOS_PROMPT_ID"] = context.prompt_id;
  env["COSMOS_OUTPUT_DIR"] = folder + "/out";
  for (const char* name : {"COSMOS_RUN_ID", "COSMOS_STAGE", "COSMOS_OUTPUT_DIR"}) job.environment[name] = env[name];
  if (command.container) {
    for (const auto& [name, value] : command.container->env) env.try_emplace(name, value);
  }
  text += "export";
  for (const auto& [name, value] : env) text += " " + name + "=" + quoter.Quote(value);
  text += "\n" + WriteFiles(context, command.files, masker);
  text += "cd " + ShellQuote(command.workdir) + " || exit 126\n";
  std::string container;
  if (command.container) {
    std::vector<std::string> names;
    for (const auto& [name, value] : env) names.push_back(name);
    container = RunContainerWords(*command.container, context, command.workdir, names);
  }
  if (!command.argv.empty()) {
    text += "exec" + (container.empty() ? "" : " " + container);
    for (const std::string& word : command.argv) text += " " + quoter.Quote(word);
    text += "\n";
  } else if (container.empty()) {
    text += "set -e\neval " + ShellQuote(command.script) + "\n";
  } else {
    text += "exec " + container + " /bin/sh -e -c " + ShellQuote(command.script) + "\n";
  }
  text +=
      ")\n"
      "printf '%s\\n' $? >exit_status\n";
  return job;
}

}  // namespace cosmos
