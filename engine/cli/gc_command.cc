#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "cli/command.h"
#include "cli/consent.h"
#include "cli/known_targets.h"
#include "cli/show_run.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/text.h"
#include "run/cleanup/garbage.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kWidest = 200;  // of what a host says
constexpr std::size_t kRunWidth = 11;

using Collectors = std::list<GarbageCollector>;

Collectors CollectorsFor(const DefinedTargets& defined, const Arguments& arguments, RunStore* store) {
  std::map<std::string, json> targets;
  for (const auto& [name, target] : defined.targets) targets[name] = target.config;
  Collectors collectors;
  std::vector<std::string> names;
  for (GarbagePlace& place : GarbagePlaces(targets, store)) {
    names.insert(names.end(), place.names.begin(), place.names.end());
    if (arguments.Has("target") && !place.names.contains(arguments.Get("target"))) continue;
    collectors.emplace_back(std::move(place), store);
  }
  if (!collectors.empty()) return collectors;
  throw Error(ErrorCode::kNotFound, "there is no target '" + arguments.Get("target") + "', and no run was on one",
              Suggestion(arguments.Get("target"), names));
}

std::size_t Removable(const Collectors& collectors) {
  std::size_t count = 0;
  for (const GarbageCollector& collector : collectors) {
    count += static_cast<std::size_t>(std::count_if(collector.items().begin(), collector.items().end(),
                                                    [](const GarbageItem& item) { return item.removable; }));
  }
  return count;
}

bool AllDone(const Collectors& collectors, bool removed) {
  return std::all_of(collectors.begin(), collectors.end(), [&](const GarbageCollector& collector) {
    return collector.problem().empty() &&
           std::all_of(collector.items().begin(), collector.items().end(),
                       [&](const GarbageItem& item) { return !removed || !item.removable || item.removed; });
  });
}

void PrintProblems(const Collectors& collectors, Console* console) {
  for (const GarbageCollector& collector : collectors) {
    if (collector.problem().empty()) continue;
    const std::string what = collector.reachable() ? "not all could be done: " : "left out: ";
    console->Warn("target '" + collector.place().target + "': " + what + OneLine(collector.problem(), kWidest * 2));
    if (!collector.hint().empty()) console->Warn("  " + OneLine(collector.hint(), kWidest * 2));
  }
}

void PrintFound(const Collectors& collectors, Console* console) {
  std::vector<std::vector<std::string>> rows;
  for (const GarbageCollector& collector : collectors) {
    for (const GarbageItem& item : collector.items()) {
      rows.push_back({item.target, item.removable ? "remove" : "keep", std::string(ToString(item.kind)),
                      item.run_id.empty() ? "-" : item.run_id.substr(0, kRunWidth),
                      item.size < 0 ? "-" : FormatSize(item.size), item.reason, OneLine(item.name, kWidest)});
    }
  }
  if (!rows.empty()) console->PrintTable({"TARGET", "", "KIND", "RUN", "SIZE", "WHY", "NAME"}, rows);
}

void PrintRemoved(const Collectors& collectors, Console* console) {
  std::size_t removed = 0;
  std::int64_t bytes = 0;
  for (const GarbageCollector& collector : collectors) {
    for (const GarbageItem& item : collector.items()) {
      if (item.removed) {
        ++removed;
        bytes += std::max<std::int64_t>(item.size, 0);
      } else if (item.removable) {
        console->Warn("target '" + item.target + "': " + OneLine(item.name, kWidest) + " " +
                      OneLine(item.reason, kWidest * 2));
      }
    }
  }
  console->PrintLine(fmt::format("removed {} of {}, {} freed", removed, Removable(collectors), FormatSize(bytes)));
}

json ToJson(const Collectors& collectors) {
  json targets = json::array();
  for (const GarbageCollector& collector : collectors) {
    json items = json::array();
    for (const GarbageItem& item : collector.items()) {
      items.push_back({{"kind", ToString(item.kind)},
                       {"run_id", item.run_id.empty() ? json() : json(item.run_id)},
                       {"name", item.name},
                       {"target", item.target},
                       {"size", item.size < 0 ? json() : json(item.size)},
                       {"state", item.removable ? "removable" : "kept"},
                       {"reason", item.reason},
                       {"removed", item.removed}});
    }
    const std::string host = HostOf(collector.place().config);
    targets.push_back({{"target", collector.place().target},
                       {"host", host.empty() ? json() : json(host)},
                       {"reachable", collector.reachable()},
                       {"problem", collector.problem().empty() ? json() : json(collector.problem())},
                       {"hint", collector.hint().empty() ? json() : json(collector.hint())},
                       {"items", items}});
  }
  return {{"targets", targets}};
}

// Find, list, ask, remove, tell.
int Gc(const Arguments& arguments, Console* console) {
  const Consent consent = ConsentOf(arguments, *console);
  const auto defined = ReadTargets(arguments, console);
  if (!defined) return kExitWrongInput;
  const auto store = OpenStore(arguments);
  Collectors collectors = CollectorsFor(*defined, arguments, store.get());
  for (GarbageCollector& collector : collectors) collector.Look();
  const std::size_t count = Removable(collectors);
  if (!console->json()) {
    PrintFound(collectors, console);
    PrintProblems(collectors, console);
    if (count == 0) console->PrintLine("nothing to remove");
  }
  const bool remove = MayRemove(consent, count, console);
  if (remove) {
    for (GarbageCollector& collector : collectors) collector.Remove();
  }
  if (console->json()) {
    console->PrintJson(ToJson(collectors));
  } else if (remove) {
    PrintRemoved(collectors, console);
  }
  return AllDone(collectors, remove) ? kExitSucceeded : kExitCannotWork;
}

}  // namespace

Command GcCommand() {
  std::vector<OptionSpec> options = {{"target", "NAME", "only what is on this target"}};
  for (const auto& more : {ConsentOptions(), TargetsOfWorkflowOptions(), CommonOptions()}) {
    options.insert(options.end(), more.begin(), more.end());
  }
  options.push_back(DbOption());
  return {
      "gc",
      "[options]",
      "Removes what runs that have ended left on targets.",
      "Looks on the targets of the configuration, of --workflow and of the runs in the database for containers,\n"
      "processes and job folders of runs, and for inputs that no run needs any more; lists them, asks, and removes\n"
      "those of runs that have ended. What belongs to a run that is active or was interrupted, or to none of this\n"
      "database, is kept. A target that cannot be reached is left out.\n"
      "Exit status: 0 all was done, 2 the input is wrong or nobody could be asked, 3 something could not be done.",
      options,
      {"", 0, 0},
      Gc};
}

}  // namespace cosmos
