#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/known_targets.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "run/targets/target_check.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kWidest = 300;  // of what a host says

std::string WorkdirOf(const json& target) {
  // As engine/target has it.
  return target.value("workdir", target.contains("ssh") ? "~/cosmos-engine" : ".");
}

std::string ImageOf(const json& target) { return target.value("container", json::object()).value("image", ""); }

int List(const DefinedTargets& defined, Console* console) {
  json list = json::array();
  std::vector<std::vector<std::string>> rows;
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  for (const auto& [name, target] : defined.targets) {
    const json& config = target.config;
    const std::string kind = config.contains("ssh") ? "ssh" : "local";
    list.push_back({{"name", name},
                    {"kind", kind},
                    {"host", TextOrNull(HostOf(config))},
                    {"workdir", WorkdirOf(config)},
                    {"gpus", config.value("gpus", json())},
                    {"container", TextOrNull(ImageOf(config))},
                    {"where", TextOrNull(target.where)}});
    rows.push_back({name, kind, or_dash(HostOf(config)), WorkdirOf(config),
                    config.contains("gpus") ? config["gpus"].dump() : "-", or_dash(ImageOf(config)),
                    target.where.empty() ? "always there" : target.where});
  }
  if (console->json()) {
    console->PrintJson({{"targets", list}});
  } else {
    console->PrintTable({"TARGET", "KIND", "HOST", "WORKDIR", "GPUS", "CONTAINER", "DEFINED"}, rows);
  }
  return kExitSucceeded;
}

Colour ColourOf(TargetCheck::Result result) {
  switch (result) {
    case TargetCheck::Result::kOk:
      return Colour::kGreen;
    case TargetCheck::Result::kInfo:
      return Colour::kGrey;
    case TargetCheck::Result::kWarning:
      return Colour::kYellow;
    case TargetCheck::Result::kFailed:
      return Colour::kRed;
  }
  return Colour::kNone;
}

void PrintChecks(const std::string& name, const TargetChecks& checks, Console* console) {
  for (const TargetCheck& check : checks) {
    console->PrintLine(console->Paint(ColourOf(check.result), fmt::format("{:<8}", ToString(check.result))) +
                       fmt::format("{:<11} {}", check.name, OneLine(check.message, kWidest)));
    if (!check.hint.empty()) console->PrintLine(std::string(20, ' ') + OneLine(check.hint, kWidest));
  }
  const auto failed = std::count_if(checks.begin(), checks.end(), [](const TargetCheck& check) {
    return check.result == TargetCheck::Result::kFailed;
  });
  console->PrintLine(failed == 0
                         ? "target '" + name + "' can be used"
                         : fmt::format("target '{}' cannot be used: {} failed", name, Counted(failed, "check")));
}

int CheckOne(const DefinedTargets& defined, const std::string& name, Console* console) {
  if (name.empty()) {
    throw Error(ErrorCode::kInvalidInput, "NAME is missing", "write `cosmos-engine targets check NAME`");
  }
  const auto target = defined.targets.find(name);
  if (target == defined.targets.end()) {
    std::vector<std::string> names;
    for (const auto& [known, unused] : defined.targets) names.push_back(known);
    throw Error(ErrorCode::kNotFound, "there is no target '" + name + "'", Suggestion(name, names));
  }
  SystemClock clock;
  const TargetChecks checks = CheckTarget(target->second.config, &clock);
  if (console->json()) {
    json list = json::array();
    for (const TargetCheck& check : checks) {
      list.push_back(
          {{"name", check.name}, {"result", ToString(check.result)}, {"message", check.message}, {"hint", check.hint}});
    }
    console->PrintJson({{"target", name}, {"ok", AllGood(checks)}, {"checks", list}});
  } else {
    PrintChecks(name, checks, console);
  }
  return AllGood(checks) ? kExitSucceeded : kExitCannotWork;
}

int Targets(const Arguments& arguments, Console* console) {
  const std::string what = arguments.Positional(0).empty() ? "list" : arguments.Positional(0);
  if (what != "list" && what != "check") {
    throw Error(ErrorCode::kInvalidInput, "`targets` cannot '" + what + "'", Suggestion(what, {"list", "check"}));
  }
  const auto defined = ReadTargets(arguments, console);
  if (!defined) return kExitWrongInput;
  return what == "list" ? List(*defined, console) : CheckOne(*defined, arguments.Positional(1), console);
}

}  // namespace

Command TargetsCommand() {
  std::vector<OptionSpec> options = TargetsOfWorkflowOptions();
  for (const OptionSpec& option : CommonOptions()) options.push_back(option);
  return {
      "targets",
      "[list|check NAME] [options]",
      "Lists the targets, or looks whether one can do its work.",
      "`check` connects and tells of the connection, the host's key and clock, the working folder and its disk,\n"
      "the tools that jobs need, GPUs, container engine and image; it leaves nothing there but the working folder.\n"
      "Exit status: 0 nothing failed, 2 the input is wrong, 3 a check failed or the host cannot be reached.",
      options,
      {"ACTION", 0, 2},
      Targets};
}

}  // namespace cosmos
