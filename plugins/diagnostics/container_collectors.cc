#include "diagnostics/container_collectors.h"

#include <algorithm>
#include <cosmos/parse_json.hpp>
#include <cosmos/shell_quote.hpp>
#include <set>
#include <stdexcept>

#include "diagnostics/redaction.h"
#include "diagnostics/script.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::ShellQuote;
using std::chrono::milliseconds;

constexpr std::size_t kMostContainers = 4;
constexpr const char* kLogLines = "200";

// The engine as it is called on its target.
std::string Words(const Json& container) {
  const bool sudo = container.is_object() && container.contains("sudo") && container["sudo"] == true;
  const std::string engine = TextIn(container, "engine");
  return (sudo ? "sudo -n " : "") + ShellQuote(engine.empty() ? "docker" : engine);
}

std::string KeyOf(const Json& container) {
  const std::string instance = TextIn(container, "instance");
  return TextIn(container, "stage") + (instance.empty() ? "" : "." + instance);
}

bool IsSuspect(const RunFacts& run, const Json& container) {
  const Json attempt = container.value("attempt", Json());
  return std::any_of(run.suspects.begin(), run.suspects.end(), [&](const StageFacts& stage) {
    return stage.key == KeyOf(container) && attempt == stage.attempt;
  });
}

[[noreturn]] void SkipRemoved(const std::string& stem) {
  throw Skipped("the container was removed when its job had ended; what it told then is in " + stem +
                ".container.json, and its log is the stage's");
}

Found Inspect(sdk::Task* task, const RunFacts& run, const Json& container, milliseconds limit) {
  const std::string name = TextIn(container, "name");
  Found found = RunScript(task, TextIn(container, "target"), Words(container) + " inspect " + ShellQuote(name), limit);
  try {
    found.text = RedactedInspection(found.text, run.secrets_unknown);
  } catch (const std::runtime_error& error) {
    if (found.problem.empty()) found.problem = error.what();
    if (run.secrets_unknown) found.text.clear();
  }
  return found;
}

Found List(sdk::Task* task, const RunFacts& run, const Json& container, milliseconds limit) {
  Found found =
      RunScript(task, TextIn(container, "target"),
                Words(container) + " ps -a --no-trunc --filter " + ShellQuote("label=run_id=" + run.run_id), limit);
  if (found.problem.empty() && found.text.find("CONTAINER ID") == found.text.npos) {
    found.problem = "it printed no table of containers";
  }
  return found;
}

}  // namespace

std::string RedactedInspection(const std::string& text, bool names_only) {
  Json all = sdk::TryParseJson(text);
  if (!all.is_array() || all.empty() || !all[0].is_object()) {
    throw std::runtime_error("the container engine printed no description of a container");
  }
  for (Json& one : all) {
    if (!one.is_object() || !one.contains("Config") || !one["Config"].is_object()) continue;
    Json env = one["Config"].value("Env", Json::array());
    for (Json& variable : env) {
      if (!variable.is_string()) continue;
      const std::string whole = variable.get<std::string>();
      const std::string name = whole.substr(0, whole.find('='));
      if (names_only || NamesASecret(name)) variable = name + "=***";
    }
    one["Config"]["Env"] = env;
  }
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<Collector> ContainerCollectors(sdk::Task* task, const RunFacts* run, const Json& containers) {
  std::vector<Collector> collectors;
  std::set<std::string> listed;  // targets
  std::size_t count = 0;
  for (const Json& container : containers) {
    if (!container.is_object() || !IsSuspect(*run, container)) continue;
    const std::string target = TextIn(container, "target");
    if (listed.insert(target).second) {
      collectors.push_back({"containers", target, target + ".containers.txt",
                            [=](milliseconds limit) { return List(task, *run, container, limit); }});
    }
    if (++count > kMostContainers) continue;
    const std::string stem = KeyOf(container) + ".attempt-" + std::to_string(container.value("attempt", 1));
    const bool removed = TextIn(container, "status") == "removed";
    collectors.push_back({"container " + KeyOf(container), target, stem + ".inspect.json", [=](milliseconds limit) {
                            if (removed) SkipRemoved(stem);
                            return Inspect(task, *run, container, limit);
                          }});
    collectors.push_back(
        {"container log " + KeyOf(container), target, stem + ".container.log.txt", [=](milliseconds limit) {
           if (removed) SkipRemoved(stem);
           return RunScript(
               task, target,
               Words(container) + " logs --tail " + kLogLines + " " + ShellQuote(TextIn(container, "name")) + " 2>&1",
               limit);
         }});
  }
  if (collectors.empty()) {
    collectors.push_back({"containers", "", "containers.txt",
                          [](milliseconds) -> Found { throw Skipped("no container belongs to what failed"); }});
  }
  return collectors;
}

}  // namespace cosmos::plugins
