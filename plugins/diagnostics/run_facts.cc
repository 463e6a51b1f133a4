#include "diagnostics/run_facts.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr std::size_t kMostSuspects = 4;
constexpr std::size_t kMostTargets = 4;

const Json& In(const Json& object, const char* key) {
  static const Json kNothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNothing;
}

StageFacts StageOf(const Json& json) {
  StageFacts stage;
  const std::string instance = TextIn(json, "instance");
  stage.key = TextIn(json, "stage") + (instance.empty() ? "" : "." + instance);
  stage.attempt = In(json, "attempt").is_number_integer() ? In(json, "attempt").get<int>() : 1;
  stage.uses = TextIn(json, "uses");
  stage.status = TextIn(json, "status");
  stage.kind = TextIn(json, "failure_kind");
  stage.message = TextIn(json, "error_message");
  stage.target = TextIn(json, "target");
  stage.log_path = TextIn(json, "log_path");
  stage.prompt_id = TextIn(json, "prompt_id");
  stage.job_folder = TextIn(In(json, "job"), "folder");
  stage.started_at = TextIn(json, "started_at");
  stage.ended_at = TextIn(json, "ended_at");
  stage.phase = TextIn(In(json, "progress"), "phase");
  return stage;
}

// The run tells why it failed in the words of the stage that failed first.
void PutFirst(const std::string& message, std::vector<StageFacts>* stages) {
  std::stable_partition(stages->begin(), stages->end(), [&](const StageFacts& stage) {
    return !stage.message.empty() && message.rfind(stage.message, 0) == 0;
  });
}

}  // namespace

std::string TextIn(const Json& object, const char* key) {
  const Json& value = In(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

RunFacts::RunFacts(Json facts) : json(std::move(facts)) {
  run_id = TextIn(json, "run_id");
  status = TextIn(json, "status");
  kind = TextIn(json, "failure_kind");
  message = TextIn(json, "error_message");
  log_path = TextIn(json, "log_path");
  output_dir = TextIn(json, "output_dir");
  engine_log = TextIn(json, "engine_log");
  started_at = TextIn(json, "started_at");
  ended_at = TextIn(json, "ended_at");
  secrets_unknown = In(json, "secrets_unknown").is_array() && !In(json, "secrets_unknown").empty();
  std::map<std::string, StageFacts> latest;
  for (const Json& stage : In(json, "stages")) {
    StageFacts read = StageOf(stage);
    StageFacts& known = latest[read.key];
    if (known.key.empty() || read.attempt >= known.attempt) known = std::move(read);
  }
  for (auto& [key, stage] : latest) stages.push_back(std::move(stage));
  const auto take = [&](auto wanted) {
    for (const StageFacts& stage : stages) {
      if (stage.uses != "diagnostics" && wanted(stage)) suspects.push_back(stage);
    }
  };
  take([](const StageFacts& stage) { return stage.status == "failed"; });
  failed = suspects;
  PutFirst(message, &failed);
  interrupted = ended_at.empty() && In(json, "engine_alive") == Json(false);
  if (suspects.empty()) {
    take([](const StageFacts& stage) { return stage.status == "running" || stage.status == "starting"; });
  }
  PutFirst(message, &suspects);
  if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
  for (const std::vector<StageFacts>* list : {&suspects, &stages}) {
    for (const StageFacts& stage : *list) {
      const bool known = std::find(targets.begin(), targets.end(), stage.target) != targets.end();
      if (!known && !stage.target.empty() && targets.size() < kMostTargets) targets.push_back(stage.target);
    }
  }
}

}  // namespace cosmos::plugins
