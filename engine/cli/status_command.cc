#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "cli/after_work.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/known_targets.h"
#include "cli/state_home.h"
#include "cli/status_text.h"
#include "core/error.h"
#include "core/text.h"
#include "run/status/host_watch.h"
#include "run/status/status_report.h"

namespace cosmos {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr auto kLongest = milliseconds(800);  // for the hosts to answer, so that it is a second in all
constexpr auto kLateAnswer = std::chrono::seconds(75);
constexpr auto kRefresh = std::chrono::seconds(2);

using Watches = std::vector<std::unique_ptr<HostWatch>>;

// The targets to be told of, by name.
std::map<std::string, json> Chosen(const DefinedTargets& defined, const Arguments& arguments) {
  std::map<std::string, json> targets;
  std::vector<std::string> names;
  for (const auto& [name, target] : defined.targets) {
    names.push_back(name);
    if (!arguments.Has("target") || arguments.Get("target") == name) targets[name] = target.config;
  }
  if (!targets.empty()) return targets;
  throw Error(ErrorCode::kNotFound, "there is no target '" + arguments.Get("target") + "'",
              Suggestion(arguments.Get("target"), names));
}

void AskAll(const Watches& watches, Duration longest) {
  const SteadyTime until = std::chrono::steady_clock::now() + longest;
  for (const auto& watch : watches) watch->Ask();
  for (const auto& watch : watches) watch->Await(until);
}

bool AllIdle(const Watches& watches) {
  return std::all_of(watches.begin(), watches.end(),
                     [](const auto& watch) { return watch->Await(std::chrono::steady_clock::now()); });
}

json Report(const Watches& watches, const std::map<std::string, json>& targets, RunStore* store) {
  std::vector<KnownHost> hosts;
  for (const auto& watch : watches) {
    HostState state = watch->state();
    if (!state.asked) {
      state.reachable = false;
      state.problem = "it has not answered yet; `cosmos-engine status --watch` waits for it";
    }
    hosts.push_back({watch->place(), std::move(state)});
  }
  return StatusReport(targets, hosts, store);
}

void Show(const json& report, Console* console) {
  if (console->json()) {
    console->PrintJson(report);
  } else {
    console->Print(StatusText(report, *console));
  }
}

// In place, with one write, so that nothing flickers.
void WatchOn(const Watches& watches, const std::map<std::string, json>& targets, RunStore* store, Console* console) {
  CancelToken stop;
  const Interrupt interrupt(&stop, "no longer watching; what runs goes on");
  while (!stop.cancelled() && console->output_error() == 0) {
    AskAll(watches, kLongest);
    console->PrintScreen(StatusText(Report(watches, targets, store), *console));
    stop.WaitFor(kRefresh);
  }
}

int TellStatus(const Arguments& arguments, Console* console) {
  AfterWork after_work;
  if (arguments.Has("watch") && (console->json() || !console->terminal())) {
    throw Error(ErrorCode::kInvalidInput, "--watch draws on a terminal, and there is none",
                "leave it out, and call `cosmos-engine status` again and again");
  }
  if (!arguments.Has("watch")) {
    if (const auto status = after_work.Split()) return *status;
  }
  const auto defined = ReadTargets(arguments, console);
  if (!defined) return kExitWrongInput;
  const std::map<std::string, json> targets = Chosen(*defined, arguments);
  const auto store = OpenStore(arguments);
  Watches watches;
  for (GarbagePlace& place : GarbagePlaces(targets, OpenRuns(store.get()), store.get())) {
    watches.push_back(std::make_unique<HostWatch>(std::move(place), CacheFolder()));
  }
  if (arguments.Has("watch")) {
    WatchOn(watches, targets, store.get(), console);
  } else {
    AskAll(watches, kLongest);
    Show(Report(watches, targets, store.get()), console);
  }
  // A late answer is kept for the next call, and holds nobody up.
  if (!AllIdle(watches)) {
    const SteadyTime until = std::chrono::steady_clock::now() + kLateAnswer;
    const bool alone = after_work.Leave(kExitSucceeded);
    for (const auto& watch : watches) watch->Await(alone ? until : SteadyTime());
    ::_exit(kExitSucceeded);
  }
  return kExitSucceeded;
}

}  // namespace

Command StatusCommand() {
  std::vector<OptionSpec> options = {{"target", "NAME", "only this target"},
                                     {"watch", "", "refresh in place until Ctrl-C"}};
  for (const auto& more : {TargetsOfWorkflowOptions(), CommonOptions()}) {
    options.insert(options.end(), more.begin(), more.end());
  }
  options.push_back(DbOption());
  return {"status",
          "[options]",
          "Tells what goes on: targets, GPUs, containers, jobs and runs.",
          "Asks the targets of the configuration, of --workflow and of runs that have not ended, all at once; what\n"
          "anybody asked within the last two seconds is not asked again. A target that has not answered within a\n"
          "second is told of as it was last seen.",
          options,
          {"", 0, 0},
          TellStatus};
}

}  // namespace cosmos
