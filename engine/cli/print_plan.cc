#include "cli/print_plan.h"

#include <fmt/format.h>

#include "core/text.h"
#include "run/preflight/preview.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string Value(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A text of several lines, each below the other.
std::string Block(const std::string& name, const std::string& text) {
  const std::vector<std::string> lines = SplitLines(text);
  std::string block = fmt::format("     {:<11} {}\n", name, lines.empty() ? "" : lines[0]);
  for (std::size_t i = 1; i < lines.size(); ++i) block += std::string(17, ' ') + lines[i] + "\n";
  return block;
}

std::string CommandOf(const json& job) {
  if (job.contains("argv")) return ShellCommand(job["argv"].get<std::vector<std::string>>());
  return job.value("script", "");
}

std::string StageText(std::size_t number, const json& stage, const Console& console) {
  const std::string instance = stage["instance"];
  const std::string key = stage["stage"].get<std::string>() + (instance.empty() ? "" : "." + instance);
  std::string text = fmt::format("\n{:>3}. {}  ({} on {})\n", number, console.Paint(Colour::kBold, key),
                                 stage["uses"].get<std::string>(), stage["target"].get<std::string>());
  if (!stage["needs"].empty()) text += Block("needs", Join(stage["needs"].get<std::vector<std::string>>(), ", "));
  if (stage.contains("when")) text += Block("when", stage["when"]);
  for (const auto& [name, value] : stage["with"].items()) text += Block(name, Value(value));
  for (const auto& [name, value] : stage["env"].items()) text += Block("env", name + "=" + Value(value));
  if (stage.contains("timeout")) text += Block("timeout", fmt::format("{} s", stage["timeout"].get<double>()));
  if (stage.contains("retry")) {
    text += Block("retry", fmt::format("{} attempts, {} s before the second", stage["retry"]["attempts"].get<int>(),
                                       stage["retry"]["backoff"].get<double>()));
  }
  if (stage.contains("on_oom")) {
    text += Block("on_oom", Join(stage["on_oom"].get<std::vector<std::string>>(), ", then "));
  }
  if (stage.contains("batch")) {
    const auto members = stage["batch"].get<std::vector<std::string>>();
    text += Block("batch", fmt::format("one job for {}: {}", members.size(), Join(members, ", ")));
  }
  if (stage.contains("batch_note"))
    text += Block("batch", "a job of its own: " + stage["batch_note"].get<std::string>());
  if (stage.contains("stall_timeout")) {
    text += Block("stalls", fmt::format("after {} s without output", stage["stall_timeout"].get<double>()));
  }
  for (const json& input : stage["inputs"]) text += Block("uploads", input);
  if (stage.contains("container")) text += Block("container", stage["container"].value("image", ""));
  const json files = stage["job"].is_object() ? stage["job"].value("files", json::object()) : json::object();
  for (const auto& [name, file] : files.items()) {
    if (name != "command") text += Block(file["path"], file["text"]);  // that is shown below
  }
  text += Block("runs", stage["job"].is_null() ? "no job: the plugin works in the engine" : CommandOf(stage["job"]));
  return text + Block("log", stage["log_path"]);
}

}  // namespace

void PrintPlan(const Plan& plan, const Catalogue& plugins, const std::filesystem::path& output_dir,
               const json& preflight, Console* console) {
  const RunPaths paths(output_dir, "RUN_ID");
  const auto preview = [&](const std::vector<StageInstance>& instances) {
    json stages = json::array();
    for (const StageInstance& instance : instances) stages.push_back(Preview(plan, instance, plugins, paths));
    return stages;
  };
  json report = {{"workflow", plan.name},
                 {"params", plan.params},
                 {"stages", preview(plan.instances)},
                 {"on_failure", preview(plan.on_failure)},
                 {"on_success", preview(plan.on_success)},
                 {"on_exit", preview(plan.on_exit)}};
  if (console->json()) {
    if (!preflight.is_null()) report["preflight"] = preflight;
    console->PrintJson(report);
    return;
  }
  const auto count = static_cast<std::int64_t>(plan.instances.size());
  console->PrintLine(fmt::format("{}: {}; nothing is executed", plan.name, Counted(count, "stage")));
  for (const auto& [name, value] : plan.params.items()) console->Print(Block(name, Value(value)));
  std::size_t number = 0;
  for (const json& stage : report["stages"]) console->Print(StageText(++number, stage, *console));
  for (const char* handlers : {"on_failure", "on_success", "on_exit"}) {
    if (!report[handlers].empty()) console->PrintLine(std::string("\n") + handlers);
    for (const json& stage : report[handlers]) console->Print(StageText(++number, stage, *console));
  }
}

}  // namespace cosmos
