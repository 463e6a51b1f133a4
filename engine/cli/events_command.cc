#include <fmt/format.h>

#include <thread>

#include "cli/command.h"
#include "cli/state_home.h"
#include "core/status.h"
#include "event/journal.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr auto kFollowInterval = std::chrono::milliseconds(100);

// What is worth reading of an event's data, on one line.
std::string Gist(const json& event) {
  const json& data = event["data"];
  if (data.contains("failure")) {
    return data["failure"].value("kind", "") + ": " + data["failure"].value("message", "");
  }
  if (data.contains("reason")) return data["reason"];
  if (data.contains("path")) return data["path"];
  if (data.contains("status")) return data["status"];
  return data.empty() ? "" : data.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string TextOf(const json& event) {
  std::string who = event.value("stage", "");
  if (!event.value("instance", "").empty()) who += "." + event.value("instance", "");
  if (event.value("attempt", 1) > 1) who += fmt::format("#{}", event.value("attempt", 1));
  return fmt::format("{:>5}  {}  {:<16}  {:<18}  {}", event.value("seq", 0), event.value("time", "").substr(11, 12),
                     who.empty() ? "-" : who, event.value("type", ""), Gist(event));
}

void PrintEvent(const std::string& line, Console* console) {
  if (console->json()) {
    console->PrintLine(line);
    return;
  }
  const json event = json::parse(line, nullptr, false);
  if (event.is_object()) console->PrintLine(TextOf(event));
}

int Events(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  const auto journal = RunPaths(run.output_dir, run.run_id).journal();
  if (!arguments.Has("follow")) {
    json all = json::array();
    Journal::Read(journal, 0, [&](const std::string& line) {
      if (console->json()) {
        all.push_back(json::parse(line, nullptr, false));
      } else {
        PrintEvent(line, console);
      }
    });
    if (console->json()) console->PrintJson({{"events", all}});
    return kExitSucceeded;
  }
  for (std::int64_t offset = 0;;) {
    const bool active = IsActive(run);  // asked first: what comes before the end is printed
    offset = Journal::Read(journal, offset, [&](const std::string& line) { PrintEvent(line, console); });
    if (!active) return kExitSucceeded;
    std::this_thread::sleep_for(kFollowInterval);
  }
}

}  // namespace

Command EventsCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back({"follow,f", "", "go on until the run has ended"});
  options.push_back(DbOption());
  return {"events",
          "RUN_ID [-f] [options]",
          "Prints what happened in a run, in order.",
          "With --format json: {\"events\": […]}, and with -f one object a line.",
          options,
          {"RUN_ID", 1, 1},
          Events};
}

}  // namespace cosmos
