#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/consent.h"
#include "cli/local_time.h"
#include "cli/show_run.h"
#include "cli/state_home.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "run/cleanup/prune.h"
#include "run/run_report.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kWidest = 200;  // of what a system says

PruneRules RulesOf(const Arguments& arguments) {
  PruneRules rules;
  if (arguments.Has("keep-days")) rules.keep_days = arguments.GetNumber("keep-days", 0, 0);
  if (arguments.Has("keep-last")) rules.keep_last = arguments.GetNumber("keep-last", 0, 0);
  rules.failed = arguments.Has("failed");
  rules.outputs = arguments.Has("outputs");
  if (rules.keep_days || rules.keep_last || rules.failed) return rules;
  throw Error(ErrorCode::kInvalidInput, "found none of --keep-days, --keep-last and --failed; nothing was removed",
              "say which runs may go, such as `cosmos-engine prune --keep-days 30 --dry-run`");
}

template <typename Wanted>
std::vector<const PruneItem*> Items(const Pruner& pruner, Wanted wanted) {
  std::vector<const PruneItem*> items;
  for (const PruneItem& item : pruner.items()) {
    if (wanted(item)) items.push_back(&item);
  }
  return items;
}

std::vector<const PruneItem*> Removable(const Pruner& pruner) {
  return Items(pruner, [](const PruneItem& item) { return item.removable; });
}
std::vector<const PruneItem*> Removed(const Pruner& pruner) {
  return Items(pruner, [](const PruneItem& item) { return item.removed; });
}

std::int64_t SizeOf(const std::vector<const PruneItem*>& items) {
  std::int64_t size = 0;
  for (const PruneItem* item : items) size += item->files.size;
  return size;
}

void PrintFound(const Pruner& pruner, Console* console) {
  std::vector<std::vector<std::string>> rows;
  for (const PruneItem& item : pruner.items()) {
    rows.push_back({item.run.run_id, item.removable ? "remove" : "keep", item.run.workflow, StatusForPeople(item.run),
                    LocalTime(item.run.started_at), item.removable ? FormatSize(item.files.size) : "-", item.reason});
  }
  if (!rows.empty()) console->PrintTable({"RUN", "", "WORKFLOW", "STATUS", "STARTED", "SIZE", "WHY"}, rows);
}

// What whoever agrees should know.
void PrintNotes(const Pruner& pruner, bool outputs, Console* console) {
  if (pruner.kept_by_rules() > 0) {
    console->PrintLine(Counted(pruner.kept_by_rules(), "further run") + " kept by --keep-days and --keep-last");
  }
  const std::vector<const PruneItem*> removable = Removable(pruner);
  if (removable.empty()) return console->PrintLine("nothing to remove");
  console->PrintLine(
      fmt::format("{} to remove with records and logs, {}; {}",
                  Counted(static_cast<std::int64_t>(removable.size()), "run"), FormatSize(SizeOf(removable)),
                  outputs ? "what they made goes too" : "what they made is kept (--outputs: it goes too)"));
  std::set<std::string> hosts;
  for (const PruneItem* item : removable) hosts.insert(item->hosts.begin(), item->hosts.end());
  if (hosts.empty()) return;
  console->Warn("of what they left on " + Join({hosts.begin(), hosts.end()}, ", ") +
                " it can no longer be told whose it is");
  console->Warn("  call `cosmos-engine gc` first, which removes it");
}

void PrintRemoved(const Pruner& pruner, Console* console) {
  for (const PruneItem* item : Removable(pruner)) {
    if (!item->removed) console->Warn(item->run.run_id + " " + OneLine(item->reason, kWidest));
  }
  const std::vector<const PruneItem*> removed = Removed(pruner);
  console->PrintLine(
      fmt::format("removed {} of {}, {} freed", removed.size(), Removable(pruner).size(), FormatSize(SizeOf(removed))));
}

json ToJson(const Pruner& pruner) {
  json runs = json::array();
  for (const PruneItem& item : pruner.items()) {
    json run = RunToJson(item.run);
    json paths = json::array();
    for (const auto& path : item.files.others) paths.push_back(path.string());
    if (!item.files.folder.empty()) paths.push_back(item.files.folder.string());
    run.update({{"state", item.removable ? "removable" : "kept"},
                {"reason", item.reason},
                {"size", item.removable ? json(item.files.size) : json()},
                {"paths", paths},
                {"hosts", item.hosts},
                {"removed", item.removed}});
    runs.push_back(std::move(run));
  }
  return {{"runs", runs}, {"kept_by_rules", pruner.kept_by_rules()}, {"freed", SizeOf(Removed(pruner))}};
}

// Find, list, ask, remove, tell.
int Prune(const Arguments& arguments, Console* console) {
  const PruneRules rules = RulesOf(arguments);
  const Consent consent = ConsentOf(arguments, *console);
  const auto store = OpenStore(arguments);
  SystemClock clock;
  Pruner pruner(rules, store.get(), clock.Wall());
  pruner.Look();
  const std::size_t count = Removable(pruner).size();
  if (!console->json()) {
    PrintFound(pruner, console);
    PrintNotes(pruner, rules.outputs, console);
  }
  const bool remove = MayRemove(consent, count, console);
  if (remove) pruner.Remove();
  if (console->json()) {
    console->PrintJson(ToJson(pruner));
  } else if (remove) {
    PrintRemoved(pruner, console);
  }
  return !remove || Removed(pruner).size() == count ? kExitSucceeded : kExitCannotWork;
}

}  // namespace

Command PruneCommand() {
  std::vector<OptionSpec> options = {{"keep-days", "N", "keep runs that ended less than N days ago"},
                                     {"keep-last", "N", "keep the newest N"},
                                     {"failed", "", "remove only runs that failed or were cancelled"},
                                     {"outputs", "", "remove what the runs made as well"}};
  for (const auto& more : {ConsentOptions(), CommonOptions()}) options.insert(options.end(), more.begin(), more.end());
  options.push_back(DbOption());
  return {
      "prune",
      "[--keep-days N] [--keep-last N] [--failed] [options]",
      "Forgets runs that have ended: their records, logs and own folders.",
      "Lists them with what that frees, asks, and removes them. A run goes only when none of --keep-days and\n"
      "--keep-last keeps it; with --failed only runs that failed or were cancelled are looked at, and counted. What\n"
      "the runs made is kept unless --outputs is given. Runs that are active or were interrupted are kept, and so\n"
      "is a run whose outputs are inputs of one that stays (with --outputs: of one that has not ended).\n"
      "Exit status: 0 all was done, 2 the input is wrong or nobody could be asked, 3 something could not be done.",
      options,
      {"", 0, 0},
      Prune};
}

}  // namespace cosmos
