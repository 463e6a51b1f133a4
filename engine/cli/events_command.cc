#include <fmt/format.h>

#include <thread>

#include "cli/command.h"
#include "cli/state_home.h"
#include "core/json_values.h"
#include "core/status.h"
#include "event/journal.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr auto kFollowInterval = std::chrono::milliseconds(100);

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What is worth reading of an event's data, on one line.
std::string Gist(const json& event) {
  const json& data = event["data"];
  if (data.contains("failure") && data["failure"].is_object()) {
    return TextOf(data["failure"], "kind") + ": " + TextOf(data["failure"], "message");
  }
  for (const char* name : {"reason", "path", "status"}) {
    if (data.contains(name)) return TextOf(data, name);
  }
  return data.empty() ? "" : data.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string LineOf(const json& event) {
  std::string who = TextIn(event, "stage");
  const std::string time = TextIn(event, "time");
  if (!TextIn(event, "instance").empty()) who += "." + TextIn(event, "instance");
  if (IntIn(event, "attempt", 1) > 1) who += fmt::format("#{}", IntIn(event, "attempt", 1));
  return fmt::format("{:>5}  {}  {:<16}  {:<18}  {}", IntegerIn(event, "seq", 0),
                     time.size() > 11 ? time.substr(11, 12) : time, who.empty() ? "-" : who, TextIn(event, "type"),
                     Gist(event));
}

void PrintEvent(const json& event, Console* console) {
  if (console->json()) {
    console->PrintJson(event, -1);
  } else {
    console->PrintLine(LineOf(event));
  }
}

int Events(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  const auto journal = RunPaths(run.output_dir, run.run_id).journal();
  if (!arguments.Has("follow")) {
    json all = json::array();
    Journal::Read(journal, 0, [&](const json& event) {
      if (console->json()) {
        all.push_back(event);
      } else {
        PrintEvent(event, console);
      }
    });
    if (console->json()) console->PrintJson({{"events", all}});
    return kExitSucceeded;
  }
  for (std::int64_t offset = 0;;) {
    const bool active = IsActive(run);  // asked first: what comes before the end is printed
    offset = Journal::Read(journal, offset, [&](const json& event) { PrintEvent(event, console); });
    if (!active || console->output_error() != 0) return kExitSucceeded;
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
