// The stage that looks at a run for reasons why it failed, and writes what it finds into a folder with a summary. It
// changes nothing of the run; the engine lets it look at runs that failed, and at any run by `cosmos-engine
// diagnostics`.
#include <algorithm>
#include <atomic>
#include <cosmos/plugin.hpp>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "common/duration.h"
#include "diagnostics/collection.h"
#include "diagnostics/container_collectors.h"
#include "diagnostics/evidence.h"
#include "diagnostics/folder.h"
#include "diagnostics/machine_collectors.h"
#include "diagnostics/run_collectors.h"
#include "diagnostics/run_facts.h"
#include "diagnostics/summary.h"

namespace {

namespace fs = std::filesystem;
using cosmos::plugins::Collector;
using cosmos::plugins::Folder;
using cosmos::plugins::Item;
using cosmos::plugins::Limits;
using cosmos::plugins::RunFacts;
using cosmos::plugins::StageFacts;
using cosmos::sdk::Description;
using cosmos::sdk::Json;
using cosmos::sdk::StageFailure;
using cosmos::sdk::Task;
using std::chrono::milliseconds;

milliseconds LimitIn(const Json& parameters, const char* key) {
  try {
    return cosmos::plugins::DurationIn(parameters, key, "diagnostics", "10s");
  } catch (const std::invalid_argument& e) {
    throw StageFailure("invalid_input", e.what());
  }
}

std::vector<Collector> CollectorsFor(Task* task, const RunFacts* run) {
  std::vector<Collector> all = cosmos::plugins::RunCollectors(task, run);
  const auto add = [&](std::vector<Collector> more) {
    for (Collector& collector : more) all.push_back(std::move(collector));
  };
  for (const std::string& target : run->targets) add(cosmos::plugins::MachineCollectors(task, run, target));
  add(cosmos::plugins::ContainerCollectors(task, run, task->Containers(run->run_id)));
  return all;
}

// What the engine itself kept when jobs of the run failed, as seen from the folder. A stage with a prompt of its own
// has a folder of its own.
std::vector<std::string> KeptFiles(const RunFacts& run, const fs::path& seen_from) {
  std::vector<std::string> kept;
  for (const StageFacts& stage : run.suspects) {
    const fs::path folder = fs::path(run.output_dir) / stage.prompt_id / "diagnostics" / run.run_id;
    for (const char* end : {".host.txt", ".stalled.txt", ".container.json"}) {
      const fs::path file = folder / (stage.key + ".attempt-" + std::to_string(stage.attempt) + end);
      std::error_code error;
      if (fs::is_regular_file(file, error)) kept.push_back(file.lexically_relative(seen_from).string());
    }
  }
  return kept;
}

Json ToJson(const Item& item) {
  constexpr const char* kWords[] = {"collected", "failed", "skipped"};
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return {
      {"name", item.name},           {"target", text(item.target)}, {"status", kWords[static_cast<int>(item.status)]},
      {"reason", text(item.reason)}, {"duration", item.seconds},    {"file", text(item.file)},
      {"size", item.text.size()}};
}

class Diagnostics : public cosmos::sdk::Stage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "diagnostics";
    description.version = "1.0.0";
    description.summary = "Looks for the reason why the run failed: GPUs, containers, machine, commands, logs.";
    description.folder = "{prompt_id}/diagnostics";
    description.parameters = Json::parse(R"json({
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "time_limit": {
          "type": ["string", "number"],
          "format": "duration",
          "exclusiveMinimum": 0,
          "default": "10s",
          "description": "How long one thing is looked for at most. A duration, or a number of seconds."
        },
        "total_time_limit": {
          "type": ["string", "number"],
          "format": "duration",
          "exclusiveMinimum": 0,
          "default": "60s",
          "description": "How long everything takes at most; what is left then is skipped. A duration, or a number of seconds."
        }
      }
    })json");
    description.outputs = Json::parse(R"json({
      "type": "object",
      "properties": {
        "folder": {"type": "string", "description": "The folder with everything that was found."},
        "summary": {"type": "string", "description": "The file that tells people about it."}
      }
    })json");
    description.required_services = {"cosmos.files/1", "cosmos.store/1", "cosmos.target/1"};
    return description;
  }

  Json Run(Task& task, const Json& parameters) override {
    const auto begin = std::chrono::steady_clock::now();
    const Limits limits{LimitIn(parameters, "time_limit"), LimitIn(parameters, "total_time_limit")};
    const RunFacts run(task.FactsOfRun(task.context().run_id));
    const Folder folder(task.Folder(), [&](std::string_view text) { return task.Redact(text); });
    const std::vector<Item> items = Collect(CollectorsFor(&task, &run), folder, limits, cancelled_);
    Json list = Json::array();
    for (const Item& item : items) list.push_back(ToJson(item));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const auto seconds = [](milliseconds time) { return static_cast<double>(time.count()) / 1000; };
    const Json manifest = {{"v", 1},
                           {"run_id", run.run_id},
                           {"duration", took.count()},
                           {"time_limit", seconds(limits.each)},
                           {"total_time_limit", seconds(limits.all)},
                           {"items", list}};
    folder.Write("manifest.json", manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    const auto evidence = cosmos::plugins::EvidenceIn(items, run, std::chrono::system_clock::now());
    folder.Write("summary.md", SummaryOf(run, items, evidence, KeptFiles(run, folder.path())));
    const std::string summary = folder.path() / "summary.md";
    task.AddArtifact(summary);
    return {{"folder", folder.path().string()}, {"summary", summary}};
  }

  void Cancel() override { cancelled_ = true; }

 private:
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

COSMOS_PLUGIN(Diagnostics);
