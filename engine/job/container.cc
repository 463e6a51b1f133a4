#include "job/container.h"

#include <fmt/format.h>

#include <chrono>

#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "job/container_engine.h"
#include "job/container_script.h"

namespace cosmos {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::string EngineOf(const ContainerRecord& container) {
  return ContainerEngine{container.engine, container.sudo}.Words();
}

// Nothing of the kind on the host leaves nothing to end; a container engine that does not answer leaves it open.
std::string NoneLeft(const ContainerRecord& container, const char* ps) {
  std::string pattern;  // of names, in which a dot stands for any character
  for (const char c : container.name) pattern += c == '.' ? "[.]" : std::string(1, c);
  return fmt::format("left=$({} {} --no-trunc -f 'name=^{}$') || exit 1\n[ -z \"$left\" ]\n", EngineOf(container), ps,
                     pattern);
}

std::string UnlessMissing(const ContainerRecord& container) {
  return "command -v " + ShellQuote(container.engine) + " >/dev/null || exit 0\n";
}

// The host's side of a mount may mean a folder that only the host's shell knows.
std::string Mount(const std::string& mount, const std::string& workdir) {
  if (mount.rfind("~/", 0) == 0) return "\"$HOME\"" + ShellQuote(mount.substr(1));
  if (mount.rfind("./", 0) == 0 || mount.rfind(".:", 0) == 0) return ShellQuote(workdir + mount.substr(1));
  return ShellQuote(mount);
}

std::int64_t TimeOf(const json& state, const char* key) {
  const std::string text = TextIn(state, key);
  if (text.size() < 20 || text.rfind("0001-", 0) == 0) return 0;  // Go's zero time: not yet
  try {
    return UnixMilliseconds(ParseTime(text.substr(0, 19) + ".000Z"));
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace

ContainerSpec ContainerSpec::FromJson(const json& value) {
  ContainerSpec spec;
  spec.engine = value.value("engine", spec.engine);
  spec.image = value.value("image", "");
  spec.sudo = value.value("sudo", false);
  if (value.contains("shm_size")) spec.shm_size = PlainText(value["shm_size"]);
  spec.ipc = value.value("ipc", "");
  spec.mounts = value.value("mounts", spec.mounts);
  spec.env = PlainMembers(value.value("env", json::object()));
  spec.workdir = value.value("workdir", "");
  spec.entrypoint = value.value("entrypoint", spec.entrypoint);
  spec.args = value.value("args", spec.args);
  return spec;
}

std::string ContainerNameOf(const RunContext& context) {
  return "cosmos_" + context.run_id + "_" + context.key() + "_" + std::to_string(context.attempt);
}

std::string RunContainerWords(const ContainerSpec& spec, const RunContext& context, const std::string& workdir,
                              const std::vector<std::string>& env) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  const auto add_text = [&](const std::string& option, const std::string& text) {
    add(option + " " + ShellQuote(text));
  };
  if (spec.sudo) add("sudo -n --preserve-env=" + Join(env, ","));
  add(ShellQuote(spec.engine) + " run");
  add_text("--name", ContainerNameOf(context));
  add_text("--label", "run_id=" + context.run_id);
  add_text("--label", "prompt_id=" + context.prompt_id);
  add_text("--label", "stage=" + context.stage);
  add_text("--label", "instance=" + context.instance);
  add_text("--label", "attempt=" + std::to_string(context.attempt));
  add("--label \"start_time=$(date -u +%Y-%m-%dT%H:%M:%SZ)\"");
  if (!spec.gpus.empty()) {
    // Docker takes a list for several options unless it stands in quotes of its own.
    add_text("--gpus", fmt::format("\"device={}\"", fmt::join(spec.gpus, ",")));
  }
  if (!spec.ipc.empty()) add_text("--ipc", spec.ipc);
  if (!spec.shm_size.empty()) add_text("--shm-size", spec.shm_size);
  add_text("-v", workdir + ":" + workdir);
  for (const std::string& mount : spec.mounts) add("-v " + Mount(mount, workdir));
  for (const std::string& name : env) add_text("-e", name);
  add_text("-w", spec.workdir.empty() ? workdir : spec.workdir);
  for (const std::string& arg : spec.args) add(ShellQuote(arg));
  add(ShellQuote(spec.image));
  return words;
}

bool StopContainer(Target* target, const ContainerRecord& container, Duration grace, Duration limit) {
  const std::string engine = EngineOf(container);
  const std::string script =
      UnlessMissing(container) +
      fmt::format(
          "timeout -k 1 5 {3} >/dev/null 2>&1\n{0} stop -t {1} {2} >/dev/null 2>&1\n{0} kill {2} >/dev/null 2>&1\n",
          engine, std::chrono::ceil<seconds>(grace).count(), ShellQuote(container.name),
          TerminateInContainerScript(engine, container.name)) +
      NoneLeft(container, "ps -q");
  return target->Run(script, limit).exit_status == 0;
}

std::string ReadInspection(const std::string& text, ContainerRecord* container, std::string* problem) {
  json all;
  try {
    all = ParseJson(text);
  } catch (const JsonError& error) {
    *problem = error.what();
    return "";
  }
  // Without its state nothing is known of it.
  if (!all.is_array() || all.empty() || ObjectIn(all[0], "State").empty()) {
    *problem = "expected a list with an object that has a State";
    return "";
  }
  const json& state = ObjectIn(all[0], "State");
  container->container_id = TextIn(all[0], "Id");
  container->status = BoolIn(state, "Running") ? "running" : "exited";
  container->exit_status = IntIn(state, "ExitCode", -1);
  container->oom_killed = BoolIn(state, "OOMKilled");
  container->started_at = TimeOf(state, "StartedAt");
  container->ended_at = TimeOf(state, "FinishedAt");
  return all[0].dump(2);
}

std::string InspectContainer(Target* target, ContainerRecord* container, Duration limit, std::string* problem) {
  const TargetOutput output =
      target->Run(EngineOf(*container) + " inspect " + ShellQuote(container->name) + " 2>/dev/null", limit);
  std::string ignored;
  if (output.exit_status != 0) return "";
  return ReadInspection(output.output, container, problem == nullptr ? &ignored : problem);
}

bool RemoveContainer(Target* target, const ContainerRecord& container, Duration limit) {
  const std::string script =
      UnlessMissing(container) +
      fmt::format("{} rm -f -v {} >/dev/null 2>&1\n", EngineOf(container), ShellQuote(container.name)) +
      NoneLeft(container, "ps -aq");
  return target->Run(script, limit).exit_status == 0;
}

// In a container of rootless podman the account is user 0.
bool TakeOver(Target* target, const ContainerRecord& container, const std::string& folder, Duration limit) {
  const std::string script =
      "cd -- " + ShellQuote(folder) +
      " || exit\nforeign() { find . ! -user \"$(id -u)\" 2>&1 | head -n 1; }\n"
      "chmod -R u+rwX . 2>/dev/null\n"
      "for owner in \"$(id -u):$(id -g)\" 0:0; do\n"
      "  [ -n \"$(foreign)\" ] || exit 0\n" +
      fmt::format(
          "  {} run --rm --network none --user 0:0 --entrypoint /bin/sh -v {} {} -c 'chown -hR \"$1\" /job && chmod -R "
          "u+rwX /job' sh \"$owner\" >/dev/null 2>&1\n",
          EngineOf(container), ShellQuote(folder + ":/job"), ShellQuote(container.image)) +
      "done\n[ -z \"$(foreign)\" ]\n";
  return target->Run(script, limit).exit_status == 0;
}

}  // namespace cosmos
