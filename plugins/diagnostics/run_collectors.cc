#include "diagnostics/run_collectors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cosmos/shell_quote.hpp>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>

#include "diagnostics/script.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::ShellQuote;
using std::chrono::milliseconds;

constexpr std::size_t kLogLines = 200;
constexpr std::int64_t kMostCommands = 5000;  // that are looked at
constexpr off_t kMostOfLog = 1 << 20;         // bytes in which the last lines are looked for

std::string Pretty(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Found Part(const RunFacts& run, const char* key) {
  const Json value = run.json.value(key, Json());
  if (value.is_null()) throw Skipped("the run's folder does not tell it any more");
  return {value.is_string() ? value.get<std::string>() : Pretty(value), ""};
}

// The record without what stands in files of its own.
Found Record(const RunFacts& run) {
  Json record = run.json;
  for (const char* key : {"workflow_text", "params", "versions"}) record.erase(key);
  return {Pretty(record), ""};
}

std::string NumberIn(const Json& object, const char* key, const char* format) {
  const Json value = object.value(key, Json());
  if (!value.is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value.get<double>());
  return text;
}

// What a command was and came to, without when and how long.
std::string KindOf(const Json& command) {
  std::string text = TextIn(command, "target") + " " + TextIn(command, "operation") + " " + TextIn(command, "outcome") +
                     " " + NumberIn(command, "exit_status", "%.0f");
  const std::string error = TextIn(command, "error");
  return text + "\n" + TextIn(command, "what") + (error.empty() ? "" : " -> " + TextIn(command, "kind") + ": " + error);
}

// A line each, as a table for people. What repeats stands once, where it was last, with how often it was.
Found Commands(sdk::Task* task, const RunFacts& run) {
  const Json commands = task->Commands(run.run_id, "", kMostCommands);
  if (commands.empty()) throw Skipped("no command was recorded");
  struct Repeats {
    std::int64_t count = 0;
    std::size_t last = 0;
    std::string first_time;
  };
  std::map<std::string, Repeats> repeats;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Repeats& known = repeats[KindOf(commands[i])];
    if (known.count == 0) known.first_time = TextIn(commands[i], "time");
    const Json more = commands[i].value("repeated", Json());
    known.count += 1 + (more.is_number_integer() ? more.get<std::int64_t>() : 0);
    known.last = i;
  }
  std::string text = "time target operation outcome status seconds what\n";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const std::string kind = KindOf(commands[i]);
    const Repeats& known = repeats.at(kind);
    if (known.last != i) continue;
    const std::size_t line = kind.find('\n');
    text += TextIn(commands[i], "time") + " " + kind.substr(0, line) + " " + NumberIn(commands[i], "duration", "%.3f") +
            " " + kind.substr(line + 1);
    if (known.count > 1) text += " (" + std::to_string(known.count) + " times since " + known.first_time + ")";
    text += "\n";
  }
  return {text, ""};
}

Found Log(const std::string& path) {
  if (path.empty()) throw Skipped("it wrote no log");
  const std::string lines = LastLines(path, kLogLines);
  if (lines.empty()) throw Skipped("its log is empty");
  return {lines, ""};
}

// The log of a job that runs may be further there than here.
Found JobFolder(sdk::Task* task, const StageFacts& stage, milliseconds limit) {
  return RunScript(task, stage.target,
                   "cd -- " + ShellQuote(stage.job_folder) + " || exit 1\n" +
                       "pwd\nfor file in pid exit_status exit_status.reserved container.record; do\n"
                       "  [ ! -f $file ] || [ -L $file ] || echo \"$file: $(head -c 4096 $file)\"\ndone\n"
                       "ls -laR . >&1 || exit 1\necho '# the end of run.log'\n[ ! -f run.log ] || "
                       "[ -L run.log ] || tail -n " +
                       std::to_string(kLogLines) + " run.log 2>/dev/null || :\n",
                   limit);
}

// What the job's script exports; secrets stand there as variables that only its process has.
Found JobEnvironment(sdk::Task* task, const StageFacts& stage, milliseconds limit) {
  Found found = RunScript(task, stage.target,
                          "cd -- " + ShellQuote(stage.job_folder) +
                              " || exit 1\n"
                              "[ -f job.sh ] || { echo 'there is no job.sh'; exit 1; }\n"
                              "sed -n '/^export /,/^cd /p' job.sh | head -c 200000\n",
                          limit);
  if (found.problem.empty() && found.text.find("COSMOS_RUN_ID") == found.text.npos) {
    found.problem = "job.sh exports nothing that a job of the engine has";
  }
  return found;
}

}  // namespace

std::string LastLines(const std::string& path, std::size_t lines) {
  // Neither a pipe nor a device may hold this up.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) throw std::runtime_error("cannot open '" + path + "': " + std::strerror(errno));
  struct stat status {};
  std::string text;
  const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (regular) {
    const off_t from = std::max<off_t>(0, status.st_size - kMostOfLog);
    text.resize(static_cast<std::size_t>(status.st_size - from));
    const ssize_t n = ::pread(file, text.data(), text.size(), from);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (from > 0) text.erase(0, text.find('\n') + 1);
  }
  ::close(file);
  if (!regular) throw std::runtime_error("'" + path + "' is no ordinary file");
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;
  for (std::size_t left = lines; left > 0 && at != 0; --left) {
    const std::size_t newline = at == 0 ? text.npos : text.rfind('\n', at - 1);
    if (newline == text.npos) return text;
    at = newline;
  }
  return at == 0 ? text : text.substr(at + 1);
}

std::vector<Collector> RunCollectors(sdk::Task* task, const RunFacts* run) {
  std::vector<Collector> collectors = {
      {"run", "", "run.json", [=](milliseconds) { return Record(*run); }},
      {"workflow", "", "workflow.yaml", [=](milliseconds) { return Part(*run, "workflow_text"); }},
      {"parameters", "", "parameters.json", [=](milliseconds) { return Part(*run, "params"); }},
      {"versions", "", "versions.json", [=](milliseconds) { return Part(*run, "versions"); }},
      {"commands", "", "commands.txt", [=](milliseconds) { return Commands(task, *run); }},
      {"engine log", "", "engine.log.txt", [=](milliseconds) { return Log(run->engine_log); }}};
  for (const StageFacts& stage : run->suspects) {
    const std::string stem = stage.key + ".attempt-" + std::to_string(stage.attempt);
    collectors.push_back(
        {"log " + stage.key, "", stem + ".log.txt", [path = stage.log_path](milliseconds) { return Log(path); }});
    const auto of_job = [&](const char* name, const char* end, auto collect) {
      collectors.push_back({name + (" " + stage.key), stage.target, stem + end, [=](milliseconds limit) {
                              if (stage.job_folder.empty()) throw Skipped("it started no job");
                              return collect(task, stage, limit);
                            }});
    };
    of_job("job folder", ".job_folder.txt", JobFolder);
    of_job("job environment", ".job_environment.txt", JobEnvironment);
  }
  return collectors;
}

}  // namespace cosmos::plugins
